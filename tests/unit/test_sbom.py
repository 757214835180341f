import copy
import io
import tarfile
from pathlib import Path

import pytest
import sbom
from cluster.oci import write_layout
from image_files import image_digest, package_owners, read_image
from sbom_parts import JSON, debian_components, merged

STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u14
Description: GNU C Library
 Version: of a description's line

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1:2.0
"""
CRANE: JSON = {
    "metadata": {
        "component": {"type": "application", "bom-ref": "crane", "name": "crane", "version": "v0.20.6"},
        "tools": [{"vendor": "CycloneDX", "name": "gomod", "version": "v1"}],
    },
    "components": [{"type": "library", "bom-ref": "net@v1", "name": "net", "version": "v1"}],
    "dependencies": [{"ref": "crane", "dependsOn": ["net@v1"]}],
}


def test_installed_debian_packages_become_components():
    assert debian_components(STATUS) == [
        {
            "type": "library",
            "bom-ref": "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64",
            "name": "libc6",
            "version": "2.36-9+deb12u14",
            "purl": "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64",
        }
    ]
    assert debian_components(STATUS, {"zlib1g"}) == []


@pytest.mark.parametrize(
    ("extras", "named"),
    [(("operator", "otel"), {"kopf", "kubernetes", "aiohttp"}), (("shim",), {"dulwich", "paramiko"})],
)
def test_the_documents_parts_are_those_of_the_lock_file_and_valid_together(extras: tuple[str, ...], named: set[str]):
    part = sbom.python_part(extras)
    other = copy.deepcopy(CRANE)
    other["metadata"]["component"] |= {"bom-ref": "executor", "name": "executor"}
    document = merged("image", "sha256:1", [part, CRANE, other], debian_components(STATUS))
    sbom.check(document)
    names = [component["name"] for component in document["components"]]
    assert named | {"crane", "executor", "net", "libc6"} <= set(names)
    assert names.count("net") == 1
    assert {"ref": "crane", "dependsOn": ["net@v1"]} in document["dependencies"]


def test_a_document_that_is_not_valid_is_refused():
    with pytest.raises(SystemExit, match="not a valid CycloneDX"):
        sbom.check({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library"}]})


def test_files_are_read_out_of_an_images_layers(tmp_path: Path):
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        for name in ("./etc/os", "./var/lib/dpkg/status"):
            member = tarfile.TarInfo(name)
            member.size = 3
            archive.addfile(member, io.BytesIO(b"abc"))
    layer.seek(0)
    write_layout(tmp_path, layer, {})
    assert read_image(tmp_path, {"var/lib/dpkg/*"}) == (
        {"etc/os", "var/lib/dpkg/status"},
        {"var/lib/dpkg/status": b"abc"},
    )
    assert image_digest(tmp_path).startswith("sha256:")


def test_packages_are_found_by_the_names_and_paths_of_their_files():
    lists = {
        "var/lib/dpkg/info/libc6:amd64.list": b"/.\n/lib/libc.so.6\n",
        "var/lib/dpkg/info/python3.11.list": b"/usr/bin/python3.11\n",
        "var/lib/dpkg/info/doc.list": b"/usr/share/doc/python3.11\n",
    }
    assert package_owners(lists, {"libc.so.6", "/usr/bin/python3.11"}) == {"libc6", "python3.11"}
