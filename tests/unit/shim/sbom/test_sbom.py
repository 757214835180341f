"""The SBOM: files of package managers, and what the layers of an image leave of them."""

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.sbom.databases import read_apk, read_dpkg, read_npm, read_os_release, read_python, reader_of
from kaniko_shim.sbom.inventory import take_inventory
from kaniko_shim.sbom.packages import Distribution, Package
from support.linear import assert_linear
from unit.shim.oci.layers import Layer, image_of, layers, tar_of_layer

STATUS = """\
Package: base-files
Status: install ok installed
Architecture: amd64
Version: 12.4+deb12u5
Description: Debian base system
 Package: not-this
 Version: 0

Package: removed
Status: deinstall ok config-files
Version: 1.0

Package: half
Status: install ok unpacked
Version: 1.0
"""
APK = (
    "C:Q1abc\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\nF:lib\nR:ld.so\n\nP:busybox\nV:1.36.1-r5\nA:x86_64\nL:GPL-2.0-only\n"
)


def dpkg(name: str) -> str:
    return f"Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n"


def layer(files: dict[str, str], links: dict[str, str] | None = None) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
        for name, target in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.LNKTYPE, target
            archive.addfile(entry)
        device = tarfile.TarInfo("dev/null")
        device.type = tarfile.CHRTYPE
        archive.addfile(device)
    return stream.getvalue()


def image(folder: Path, *layers: bytes) -> bytes:
    """Write the layers as blobs; the manifest."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    digests = [hashlib.sha256(content).hexdigest() for content in layers]
    for digest, content in zip(digests, layers, strict=True):
        (blobs / digest).write_bytes(content)
    return json.dumps({"layers": [{"digest": f"sha256:{digest}"} for digest in digests]}).encode()


def names(folder: Path, *layers: bytes) -> list[str]:
    return sorted(package.name for package in take_inventory(folder, image(folder, *layers)).packages)


def test_package_managers():
    assert list(read_dpkg(STATUS)) == [Package("deb", "base-files", "12.4+deb12u5", "amd64")]
    assert list(read_apk(APK)) == [
        Package("apk", "musl", "1.2.4-r2", "x86_64", "MIT"),
        Package("apk", "busybox", "1.36.1-r5", "x86_64", "GPL-2.0-only"),
    ]
    assert list(read_python("Name: Ruamel_Yaml\nVersion: 1\nLicense-Expression: MIT\n\nName: text")) == [
        Package("pypi", "ruamel-yaml", "1", license="MIT")
    ]
    assert list(read_npm('{"name": "@types/node", "version": "1.0.0", "license": {"type": "MIT"}}')) == [
        Package("npm", "@types/node", "1.0.0")
    ]
    release = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n#ID=no\n'
    assert read_os_release(release) == Distribution("debian", "12", "Debian GNU/Linux 12 (bookworm)")


@given(text=st.text(alphabet=st.sampled_from('PVN:ame\n\r\t {}"[]=@/.0é')) | st.text())
def test_any_text_is_read_without_an_error(text: str):
    for read in (read_dpkg, read_apk, read_python, read_npm):
        assert all(package.name and package.version for package in read(text))
    read_os_release(text)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("var/lib/dpkg/status", True),
        ("var/lib/dpkg/status.d/base", True),
        ("var/lib/dpkg/status.d/base.md5sums", False),
        ("var/lib/dpkg/status-old", False),
        ("lib/apk/db/installed", True),
        ("usr/lib/python3/dist-packages/x.dist-info/METADATA", True),
        ("x.egg-info/PKG-INFO", True),
        ("app/node_modules/left-pad/package.json", True),
        ("app/node_modules/@types/node/package.json", True),
        ("app/node_modules/left-pad/test/package.json", False),
        ("app/package.json", False),
    ],
)
def test_which_files_are_read(path: str, expected: object):
    assert (reader_of(path) is not None) is expected


def test_later_layers_replace_and_remove(tmp_path: Path):
    below = layer({
        "./var/lib/dpkg/status": dpkg("old"),
        "app/a.dist-info/METADATA": "Name: a\nVersion: 1",
        "lib/b.dist-info/METADATA": "Name: b\nVersion: 1",
        "opaque/c.dist-info/METADATA": "Name: c\nVersion: 1",
    })  # fmt: skip
    above = layer({
        "var/lib/dpkg/status": dpkg("new"),
        "app/.wh.a.dist-info": "",
        "opaque/.wh..wh..opq": "",
        "opaque/d.dist-info/METADATA": "Name: d\nVersion: 1",
    }, {"link/e.dist-info/METADATA": "lib/b.dist-info/METADATA"})  # fmt: skip
    assert names(tmp_path, gzip.compress(below), above) == ["b", "b", "d", "new"]


def test_a_directory_that_is_replaced_by_a_file(tmp_path: Path):
    assert names(tmp_path, layer({"a/x.dist-info/METADATA": "Name: x\nVersion: 1"}), layer({}, {"a": "b"})) == []


def test_what_is_not_read_is_named(tmp_path: Path):
    manifest = image(tmp_path, layer({"var/lib/rpm/rpmdb.sqlite": "binary", "etc/os-release": "ID=fedora\n"}))
    found = take_inventory(tmp_path, manifest)
    assert found.unread == ("var/lib/rpm/rpmdb.sqlite",)
    assert found.distribution.id == "fedora"


def test_a_damaged_layer_is_named(tmp_path: Path):
    content = gzip.compress(layer({"var/lib/dpkg/status": dpkg("x")}))[:100]
    with pytest.raises(JobError, match=f"layer sha256:{hashlib.sha256(content).hexdigest()} can't be read"):
        take_inventory(tmp_path, image(tmp_path, content))


@settings(max_examples=300)
@given(layers())
def test_any_layers_give_the_packages_that_the_image_holds(stack: list[Layer]):
    expected = [text for path, text in image_of(stack).items() if text and reader_of(path)]
    with tempfile.TemporaryDirectory() as directory:
        manifest = image(Path(directory), *map(tar_of_layer, stack))
        found = take_inventory(Path(directory), manifest).packages
    assert sorted((each.name, each.version) for each in found) == sorted(
        (text.split()[1], text.split()[3]) for text in expected
    )


def test_time_grows_linearly_with_what_a_layer_replaces(tmp_path: Path):
    def made(count: int) -> Path:
        below = layer({f"d{number}/x.dist-info/METADATA": "Name: x\nVersion: 1" for number in range(count)})
        above = layer({f".wh.d{number}": "" for number in range(count)})
        (directory := tmp_path / str(count)).mkdir()
        (directory / "manifest").write_bytes(image(directory, below, above))
        return directory

    def read(directory: Path) -> None:
        assert take_inventory(directory, (directory / "manifest").read_bytes()).packages == ()

    assert_linear(read, made, 500)


def test_a_path_that_no_system_could_open_is_skipped(tmp_path: Path):
    deep = {"d/" * 100_000 + "x.dist-info/METADATA": "Name: x\nVersion: 1"}
    assert names(tmp_path, layer(deep | {"y.dist-info/METADATA": "Name: y\nVersion: 1"})) == ["y"]


def test_a_directory_in_place_of_a_file_that_is_not_listed_itself(tmp_path: Path):
    below = layer({"a.dist-info/METADATA": "Name: a\nVersion: 1", "etc/os-release": "ID=x\n"})
    above = layer({"a.dist-info/METADATA/b.dist-info/METADATA": "Name: b\nVersion: 1"})
    assert names(tmp_path, below, above) == ["b"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [("_MOST", "the image has more than 30 packages"), ("_MOST_FILES", "there are more than 30 files")],
)
def test_what_is_read_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, problem: str):
    monkeypatch.setattr(f"kaniko_shim.sbom.layers.{name}", 30)
    text = "Name: a\nVersion: 1" if name == "_MOST" else ""
    files = {f"{number}.dist-info/METADATA": text for number in range(31)}
    with pytest.raises(JobError, match=f"The SBOM can't be made, since .*{problem}"):
        take_inventory(tmp_path, image(tmp_path, layer(files)))


@pytest.mark.parametrize("record", ["Package: a\nVersion: 1\n\n", "x" * 1024])
def test_memory_does_not_grow_with_what_a_small_layer_unpacks_to(tmp_path: Path, record: str):
    manifest = image(tmp_path, layer({"var/lib/dpkg/status": record * (48 * 1024 * 1024 // len(record))}))
    tracemalloc.start()
    try:
        with pytest.raises(JobError, match="The SBOM can't be made"):
            take_inventory(tmp_path, manifest)
        assert tracemalloc.get_traced_memory()[1] < 256 * 1024 * 1024
    finally:
        tracemalloc.stop()
