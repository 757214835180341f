import gzip
import io
import os
import tarfile
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kaniko_shim.archives.entries import stable_mode
from kaniko_shim.archives.extract import extract
from kaniko_shim.archives.tree import Tree
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
    assert modes == {"group": 0o644, "setuid": 0o755, "everyone": 0o666, "locked": 0o600}
    assert (root / "dir").stat().st_mode & 0o7777 == 0o755
    assert (root / "hard").samefile(root / "dir/group")
    assert (root / "soft").readlink() == Path("/etc/passwd")


@given(st.integers(0, 0o7777))
def test_modes_do_not_depend_on_a_umask(mode: int):
    assert stable_mode(mode & ~0o022) == stable_mode(mode & ~0o002)
    assert stable_mode(mode, directory=True) & 0o7000 == 0


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


@pytest.mark.shows("A2")
@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_bytes_are_limited_whatever_the_compression(tmp_path: Path, kind: str):
    bomb = COMPRESSIONS[kind](tar_of({"zeros": bytes(5_000_000)}))
    with pytest.raises(JobError) as caught:
        unpack(bomb, tmp_path / "tree", max_bytes=1_000_000)
    assert caught.value.failure.reason is Reason.SOURCE_TOO_LARGE
    assert (tmp_path / "tree/zeros").stat().st_size <= 1_000_000


def test_bytes_of_a_zip_are_counted_as_they_come(tmp_path: Path):
    with pytest.raises(JobError) as caught:
        unpack(zip_of({"zeros": bytes(5_000_000)}), tmp_path / "tree", max_bytes=1_000_000)
    assert caught.value.failure.reason is Reason.SOURCE_TOO_LARGE


@pytest.mark.shows("A2")
def test_entries_are_limited(tmp_path: Path):
    with pytest.raises(JobError) as caught:
        unpack(tar_of({str(number): b"" for number in range(11)}), tmp_path / "tree", max_entries=10)
    assert caught.value.failure.reason is Reason.SOURCE_TOO_LARGE


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


@pytest.mark.parametrize("kind", [*COMPRESSIONS, "zip"])
def test_a_cut_archive_is_damaged(tmp_path: Path, kind: str):
    content = zip_of(FILES) if kind == "zip" else COMPRESSIONS[kind](tar_of({"a": os.urandom(20_000)}))

    with pytest.raises(JobError, match=r"damaged|not hold a tar"):
        unpack(content[: len(content) // 2], tmp_path / "tree")


def test_two_gzip_streams_are_one(tmp_path: Path):
    content = tar_of(FILES)
    halves = gzip.compress(content[:5000]) + gzip.compress(content[5000:]) + bytes(100)
    assert files_of(unpack(halves, tmp_path / "tree")) == FILES


def test_a_huge_extended_header_is_refused(tmp_path: Path):
    info = member("x")
    info.pax_headers = {"comment": "x" * 2_000_000}
    with pytest.raises(JobError, match="extended header is too long"):
        unpack(tar([(info, b"")]), tmp_path / "tree")


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


class Repeated:
    """A tar of so many entries that is nowhere in whole."""

    def __init__(self, entries: int) -> None:
        self._header = member("x").tobuf()
        self._left = entries

    def read(self, size: int) -> bytes:
        blocks = min(size // 512, self._left)
        self._left -= blocks
        return self._header * blocks if blocks else b""


def peak(work: Callable[[], object]) -> int:
    """Bytes that Python had in use at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_entries(tmp_path: Path):
    def work() -> None:
        with Tree(tmp_path / "tree", max_bytes=1, max_entries=5000) as tree:
            extract(Repeated(5000), tree, has_digest=True)
        assert tree.entries == 5000

    # Five hundred bytes for each of them would be more.
    assert peak(work) < 1_500_000


@pytest.mark.shows("A2")
@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_memory_does_not_grow_with_a_bomb(tmp_path: Path, kind: str):
    bomb = COMPRESSIONS[kind](tar_of({"zeros": bytes(20_000_000)}))

    def work() -> None:
        with pytest.raises(JobError, match="more than 19000000 bytes"):
            unpack(bomb, tmp_path / "tree", max_bytes=19_000_000)

    # The dictionary of an xz has 8 MB.
    assert peak(work) < 12_000_000


def seconds(work: Callable[[], object]) -> float:
    """Seconds of processor time, the best of three runs."""

    def run() -> float:
        begin = time.process_time()
        work()
        return time.process_time() - begin

    return min(run() for _ in range(3))


def extended(records: int) -> bytes:
    """A tar with one entry, in whose extended header there are so many records."""
    info = member("x")
    info.pax_headers = {f"k{number}": "" for number in range(records)}
    return tar([(info, b"")])


def test_time_grows_linearly_with_the_records_of_an_extended_header(tmp_path: Path):
    small, large = extended(8_000), extended(64_000)
    # Eight times as many; quadratic would take 64 times as long.
    assert seconds(lambda: unpack(large, tmp_path / "tree")) < 24 * seconds(lambda: unpack(small, tmp_path / "tree"))


def test_extended_headers_take_no_time_from_later_entries(tmp_path: Path):
    def content(records: int) -> bytes:
        header = tarfile.TarInfo.create_pax_global_header({f"k{number}": "" for number in range(records)})
        return header + tar_of({f"f{number}": b"" for number in range(300)})

    few, many = content(1), content(60_000)
    assert seconds(lambda: unpack(many, tmp_path / "tree")) < 8 * seconds(lambda: unpack(few, tmp_path / "tree"))


@pytest.mark.parametrize(
    "header", [b"9" * 5000 + b" a=b\n", b"5 a=\n7 path\n", b"6 a=b\nx", b"8 path=\n8", b"0 =\n", b"5 =bb\n", b"6 a=bb"]
)
def test_a_malformed_extended_header_is_refused(tmp_path: Path, header: bytes):
    info = member("x", tarfile.XHDTYPE)
    with pytest.raises(JobError, match=r"extended header is malformed|missing"):
        unpack(tar([(info, header), (member("x"), b"")]), tmp_path / "tree")
