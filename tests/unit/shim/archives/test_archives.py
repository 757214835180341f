import gzip
import io
import os
import tarfile
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from unit.shim.archives.archives import COMPRESSIONS, files_of, member, tar, tar_of, unpack, zip_of

FILES = {"Dockerfile": b"FROM scratch\n", "a/b/c.txt": b"c" * 100_000, "empty": b"", "ü/名前": b"u"}


@pytest.mark.parametrize("kind", COMPRESSIONS)
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_tars_of_every_compression_and_format(tmp_path: Path, kind: str, form: int):
    content = COMPRESSIONS[kind](tar_of(FILES, form))
    assert files_of(unpack(content, tmp_path / "tree")) == FILES


def test_zips(tmp_path: Path):
    assert files_of(unpack(zip_of(FILES), tmp_path / "tree")) == FILES


def test_a_zip_from_windows_and_its_links_and_modes(tmp_path: Path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        windows = zipfile.ZipInfo("dir\\file.txt")
        windows.create_system = 0
        archive.writestr(windows, b"w")
        script = zipfile.ZipInfo("run.sh")
        script.external_attr = 0o100755 << 16
        archive.writestr(script, b"#!")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, b"run.sh")
        archive.writestr(zipfile.ZipInfo("emptydir/"), b"")
    root = unpack(buffer.getvalue(), tmp_path / "tree")
    assert files_of(root) == {"dir/file.txt": b"w", "run.sh": b"#!"}
    assert (root / "run.sh").stat().st_mode & 0o7777 == 0o755
    assert (root / "link").readlink() == Path("run.sh")
    assert (root / "emptydir").is_dir()


def test_links_directories_and_modes(tmp_path: Path):
    content = tar(
        [
            (member("./", tarfile.DIRTYPE, mode=0o700), b""),
            (member("dir", tarfile.DIRTYPE, mode=0o2775), b""),
            (member("dir/group", mode=0o664), b"1"),
            (member("dir/setuid", mode=0o4755), b"2"),
            (member("dir/everyone", mode=0o666), b"3"),
            (member("dir/locked", mode=0o000), b"4"),
            (member("hard", tarfile.LNKTYPE, "dir/group"), b""),
            (member("soft", tarfile.SYMTYPE, "/etc/passwd"), b""),
        ]
    )
    root = unpack(content, tmp_path / "tree")
    modes = {path.name: path.stat().st_mode & 0o7777 for path in (root / "dir").iterdir()}
    assert modes == {"group": 0o664, "setuid": 0o4755, "everyone": 0o666, "locked": 0o000}
    assert (root / "dir").stat().st_mode & 0o7777 == 0o2775
    assert (root / "hard").samefile(root / "dir/group")
    assert (root / "soft").readlink() == Path("/etc/passwd")


def test_a_later_entry_replaces_a_former_one(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    content = tar(
        [
            (member("x"), b"1"),
            (member("x"), b"2"),
            (member("y", tarfile.SYMTYPE, str(outside)), b""),
            (member("y"), b"3"),
            (member("z", tarfile.SYMTYPE, str(tmp_path)), b""),
            (member("z", tarfile.DIRTYPE), b""),
            (member("z/w"), b"4"),
        ]
    )
    assert files_of(unpack(content, tmp_path / "tree")) == {"x": b"2", "y": b"3", "z/w": b"4"}
    assert outside.read_text() == "untouched"


UNSAFE = {
    "climbs": [(member("../x"), b"1")],
    "climbs deep": [(member("a/../../x"), b"1")],
    "absolute": [(member("/x"), b"1")],
    "through a link": [(member("a", tarfile.SYMTYPE, ".."), b""), (member("a/x"), b"1")],
    "through a link made later": [
        (member("a/b", tarfile.DIRTYPE), b""),
        (member("a/b/l", tarfile.SYMTYPE, "../../.."), b""),
        (member("a/b/l/x"), b"1"),
    ],
    "below a file": [(member("a"), b"1"), (member("a/x"), b"1")],
    "a hard link out": [(member("a", tarfile.LNKTYPE, "../outside"), b"")],
    "a hard link to an absolute path": [(member("a", tarfile.LNKTYPE, "/etc/passwd"), b"")],
    "a hard link through a link": [
        (member("l", tarfile.SYMTYPE, ".."), b""),
        (member("a", tarfile.LNKTYPE, "l/outside"), b""),
    ],
    "a hard link to nothing": [(member("a", tarfile.LNKTYPE, "b"), b"")],
    "a device": [(member("a", tarfile.CHRTYPE), b"")],
    "a block device": [(member("a", tarfile.BLKTYPE), b"")],
    "a pipe": [(member("a", tarfile.FIFOTYPE), b"")],
    "a file in place of a directory": [(member("a/b"), b"1"), (member("a"), b"2")],
    "a name too long": [(member("n" * 300), b"1")],
    "a path too long": [(member("/".join(["d"] * 2500)), b"1")],
    "a name that climbs in its extended header": [(member("ü" * 60 + "/../../x"), b"1")],
    "a hard link out in its extended header": [(member("a", tarfile.LNKTYPE, "../" + "ü" * 120), b"")],
    "through a link to an absolute path": [(member("a", tarfile.SYMTYPE, "/etc"), b""), (member("a/cron.d/x"), b"1")],
    "through a link in place of a directory": [
        (member("a/b"), b"1"),
        (member("d", tarfile.DIRTYPE), b""),
        (member("d/l", tarfile.SYMTYPE, "../.."), b""),
        (member("d/l/outside"), b"1"),
    ],
    "a sparse file of GNU tar": [(member("a", tarfile.GNUTYPE_SPARSE), b"")],
    "a continuous volume": [(member("a", b"M"), b"")],
    "a link to nowhere": [(member("a", tarfile.SYMTYPE, ""), b"")],
}


@pytest.mark.shows("A1")
@pytest.mark.parametrize("case", UNSAFE)
def test_unsafe_entries_are_refused_by_name(tmp_path: Path, case: str):
    (tmp_path / "outside").write_text("untouched")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(JobError) as caught:
        unpack(tar(UNSAFE[case]), tmp_path / "tree")
    assert caught.value.failure.reason is Reason.SOURCE_INVALID
    assert repr(UNSAFE[case][-1][0].name[:100])[:-1] in caught.value.failure.message
    assert (tmp_path / "outside").read_text() == "untouched"
    assert sorted(set(tmp_path.iterdir()) - {tmp_path / "tree"}) == before


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x"])
def test_unsafe_names_in_a_zip(tmp_path: Path, name: str):
    with pytest.raises(JobError, match="entry"):
        unpack(zip_of({name: b"1"}), tmp_path / "tree")


def test_an_encrypted_zip(tmp_path: Path):
    content = bytearray(zip_of({"a": b"secret"}))
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(JobError, match="encrypted"):
        unpack(bytes(content), tmp_path / "tree")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"hello", "neither a tar"),
        (b"<!DOCTYPE html><html>", "is text"),
        (b'{"error": 1}' * 100, "is text"),
        (gzip.compress(b"hello"), "not hold a tar"),
        (b"\x1f\x8bgarbage", "damaged"),
        (b"PK\x03\x04garbage", "damaged"),
        (b"\x28\xb5\x2f\xfdgarbage", "damaged"),
    ],
)
def test_what_is_no_archive(tmp_path: Path, content: bytes, problem: str):
    with pytest.raises(JobError, match=problem) as caught:
        unpack(content, tmp_path / "tree")
    assert caught.value.failure.reason is Reason.SOURCE_INVALID


def test_two_gzip_streams_are_one(tmp_path: Path):
    content = tar_of(FILES)
    halves = gzip.compress(content[:5000]) + gzip.compress(content[5000:]) + bytes(100)
    assert files_of(unpack(halves, tmp_path / "tree")) == FILES


NAME = st.text(st.characters(codec="utf-8", exclude_characters="\0/\\"), min_size=1, max_size=60).filter(
    lambda name: name not in {".", ".."} and name == name.strip() and len(name.encode()) < 200
)


@settings(max_examples=60)
@given(
    st.dictionaries(NAME, st.binary(max_size=2000), max_size=8),
    st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
    st.sampled_from(sorted(COMPRESSIONS)),
)
def test_any_files_come_back(files: dict[str, bytes], form: int, kind: str):
    with tempfile.TemporaryDirectory() as directory:
        nested = {f"{name}/{name}" if index % 2 else name: files[name] for index, name in enumerate(files)}
        content = COMPRESSIONS[kind](tar_of(nested, form))
        assert files_of(unpack(content, Path(directory, "tree"))) == nested


@settings(max_examples=150)
@given(st.binary(max_size=3000), st.sampled_from(["raw", "tar", "gz", "zst"]), st.data())
def test_any_bytes_are_an_archive_or_a_refusal(noise: bytes, kind: str, data: st.DataObject):
    content = bytearray(tar_of(FILES) if kind != "raw" else noise)
    for _ in range(5 if kind != "raw" else 0):
        content[data.draw(st.integers(0, 2000))] = data.draw(st.integers(0, 255))
    archive = COMPRESSIONS.get(kind, bytes)(bytes(content))
    with tempfile.TemporaryDirectory() as directory:
        with suppress(JobError):
            unpack(archive, Path(directory, "tree"), max_bytes=1_000_000, max_entries=100)
        assert {path.name for path in Path(directory).iterdir()} <= {"tree"}


def test_names_that_are_not_utf_8_are_kept(tmp_path: Path):
    names = [b"caf\xe9", b"\xff\xfe/\x80", b"new\nline", b"-rf", b" ", b"a\\b"]
    for form in (tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        files = {os.fsdecode(name): name for name in names}
        root = unpack(tar_of(files, form), tmp_path / str(form))
        assert {
            os.fsencode(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
        } == {name: name for name in names}


def test_names_that_differ_in_case_only_are_two(tmp_path: Path):
    content = tar([(member("Link", tarfile.SYMTYPE, "/etc"), b""), (member("link/x"), b"1")])
    root = unpack(content, tmp_path / "tree")
    assert files_of(root) == {"link/x": b"1"}
    assert (root / "Link").readlink() == Path("/etc")


def test_a_sparse_file_of_a_pax_archive_is_refused_by_name(tmp_path: Path):
    info = member("holes")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "holes"}
    with pytest.raises(JobError, match="'holes' is a sparse file"):
        unpack(tar([(info, b"x" * 512)]), tmp_path / "tree")


@pytest.mark.parametrize("size", ["-1", "9" * 30, "x"])
def test_a_size_that_is_none(tmp_path: Path, size: str):
    info = member("a")
    info.pax_headers = {"size": size}
    content = tar([(info, b"")])
    with pytest.raises(JobError) as caught:
        unpack(content, tmp_path / "tree")
    assert caught.value.failure.reason is Reason.SOURCE_INVALID
