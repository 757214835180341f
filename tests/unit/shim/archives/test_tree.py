"""The tree writer against the standard library's extraction, over random trees."""

import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from unit.shim.archives.archives import member, tar, tar_of, unpack

FORMS = [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]
Members = list[tuple[tarfile.TarInfo, bytes]]
TIMES = [0, 1, 1_000_000_000, 2**31]

# Few names, so that entries meet in the same directories, and one that needs an extended header.
COMPONENTS = ["a", "b", "c", "ü", "d.e", "n" * 150]


@st.composite
def trees(draw: st.DrawFn) -> Members:
    """Members of which each has a name of its own: directories, files, symbolic links, hard links to any file."""
    kinds: dict[tuple[str, ...], bytes] = {}
    modes: dict[str, int] = {}
    times: dict[str, float] = {}
    members: Members = []
    for number in range(draw(st.integers(1, 25))):
        path = tuple(draw(st.lists(st.sampled_from(COMPONENTS), min_size=1, max_size=draw(st.sampled_from([3, 12])))))
        above = [path[:depth] for depth in range(1, len(path))]
        if path in kinds or any(kinds.get(each, tarfile.DIRTYPE) != tarfile.DIRTYPE for each in above):
            continue
        linked = [each for each, kind in kinds.items() if kind in {tarfile.REGTYPE, tarfile.LNKTYPE}]
        kind = draw(st.sampled_from([tarfile.DIRTYPE, tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE]))
        if kind == tarfile.LNKTYPE and not linked:
            kind = tarfile.REGTYPE
        info = member("/".join(path), kind, mode=draw(st.sampled_from([0o644, 0o755, 0o600, 0o777, 0o4711])))
        info.mtime = draw(st.sampled_from(TIMES))
        content = b""
        match kind:
            case tarfile.REGTYPE:
                content = f"{number}".encode() * draw(st.sampled_from([0, 1, 300, 70_000]))
            case tarfile.SYMTYPE:
                info.linkname = draw(st.sampled_from(["a", "../../etc", "/etc/passwd", "n" * 150]))
            case tarfile.LNKTYPE:
                info.linkname = "/".join(draw(st.sampled_from(linked)))
                info.mode, info.mtime = modes[info.linkname], times[info.linkname]
            case _:
                # Some programs write the room that a directory takes: no content follows.
                info.size = draw(st.sampled_from([0, 0, 4096]))
        modes[info.name], times[info.name] = info.mode, info.mtime
        kinds |= dict.fromkeys(above, tarfile.DIRTYPE)
        kinds[path] = kind
        members.append((info, content))
    return members


def archive(members: Members, form: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as written:
        for info, content in members:
            if info.isreg():
                info.size = len(content)
            written.addfile(info, io.BytesIO(content) if content else None)
    return buffer.getvalue()


def described(root: Path) -> Iterator[tuple[str, str, bytes, int, float | None, list[str]]]:
    """Every path with its kind, its content or target, its mode, its time if it was set, and all names of the file."""
    names: dict[int, list[str]] = {}
    found = sorted(root.rglob("*"))
    for path in found:
        names.setdefault(path.lstat().st_ino, []).append(path.relative_to(root).as_posix())
    for path in found:
        name, status = path.relative_to(root).as_posix(), path.lstat()
        time = status.st_mtime if status.st_mtime in TIMES else None
        if path.is_symlink():
            yield name, "link", os.fsencode(path.readlink()), 0, None, names[status.st_ino]
        elif path.is_dir():
            yield name, "directory", b"", stat.S_IMODE(status.st_mode), time, []
        else:
            yield name, "file", path.read_bytes(), stat.S_IMODE(status.st_mode), time, names[status.st_ino]


@settings(max_examples=150)
@given(trees(), st.sampled_from(FORMS))
def test_any_tree_is_written_as_the_standard_library_writes_it(members: Members, form: int):
    content = archive(members, form)
    with tempfile.TemporaryDirectory() as directory:
        with tarfile.open(fileobj=io.BytesIO(content)) as reference:
            reference.extractall(Path(directory, "reference"), filter="fully_trusted")
        Path(directory, "reference").mkdir(exist_ok=True)
        ours = unpack(content, Path(directory, "ours"))
        assert list(described(ours)) == list(described(Path(directory, "reference")))


@pytest.mark.parametrize(
    ("link", "target"), [("a/b/link", "c/d/file"), ("link", "c/d/file"), ("c/link", "c/d/file"), ("c/d/e/link", "c/f")]
)
def test_a_hard_link_lands_in_its_own_directory(tmp_path: Path, link: str, target: str):
    members = [
        (member("a/b", tarfile.DIRTYPE, mode=0o755), b""),
        (member(target), b"1"),
        (member(link, tarfile.LNKTYPE, target), b""),
        (member(f"{link}2"), b"2"),
    ]
    root = unpack(tar(members), tmp_path / "tree")
    assert (root / link).samefile(root / target)
    assert (root / f"{link}2").read_bytes() == b"2"


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_size_of_something_without_content_is_no_content(tmp_path: Path, kind: bytes):
    info = member("x", kind, "file", mode=0o755)
    info.size = 1024
    root = unpack(
        archive([(member("file"), b"1"), (info, b""), (member("y"), b"2")], tarfile.USTAR_FORMAT), tmp_path / "tree"
    )
    assert {path.name for path in root.iterdir()} == {"file", "x", "y"}


def test_a_tree_that_is_too_deep_is_refused_by_name(tmp_path: Path):
    assert (unpack(tar_of({"d/" * 256 + "f": b"1"}), tmp_path / "deep") / ("d/" * 256) / "f").read_bytes() == b"1"
    with pytest.raises(JobError, match="more than 256 directories deep") as caught:
        unpack(tar_of({"d/" * 257 + "f": b"1"}), tmp_path / "tree")
    assert caught.value.failure.reason is Reason.SOURCE_INVALID


def test_links_and_fractions_of_seconds_keep_their_time(tmp_path: Path):
    link, file, directory = member("l", tarfile.SYMTYPE, "f"), member("d/f"), member("d", tarfile.DIRTYPE, mode=0o755)
    link.mtime, file.mtime, directory.mtime = 1000.25, 2000.5, 3000.125
    root = unpack(tar([(directory, b""), (link, b""), (file, b"1")]), tmp_path / "tree")
    times = [path.lstat().st_mtime for path in (root / "l", root / "d/f", root / "d")]
    assert times == [1000.25, 2000.5, 3000.125]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (b"\xff" * 12, 0),
        (b"\xff" * 11 + b"\x00", 0),
        (b"\x80" + b"\x00" * 7 + b"\x7f\xff\xff\xff", 2**31 - 1),
        (b"\x80" + b"\xff" * 11, 2**32 - 1),
        (b"77777777777\0", 2**32 - 1),
        (b"\0" * 12, 0),
    ],
)
def test_a_time_that_no_file_can_have_is_the_nearest_one(tmp_path: Path, field: bytes, expected: int):
    content = bytearray(tar_of({"f": b"1"}, tarfile.GNU_FORMAT))
    content[136:148] = field
    content[148:156] = b" " * 8
    content[148:156] = f"{sum(content[:512]):06o}\0 ".encode()
    root = unpack(bytes(content), tmp_path / "tree")
    assert int((root / "f").stat().st_mtime) == expected


@pytest.mark.parametrize("record", ["x", "nan", "-1", "1e999999"])
def test_a_time_in_an_extended_header_need_not_be_one(tmp_path: Path, record: str):
    info = member("f")
    info.pax_headers = {"mtime": record}
    content = tar([(info, b"1")])
    if record == "x":
        with pytest.raises(JobError, match="modification time") as caught:
            unpack(content, tmp_path / "tree")
        assert caught.value.failure.reason is Reason.SOURCE_INVALID
    else:
        assert (unpack(content, tmp_path / "tree") / "f").stat().st_mtime in {0, 2**32 - 1}


@pytest.mark.parametrize("field", [b"0100644\0", b"\x80\0\0\0\0\0\x81\xa4", b"\xff" * 8])
def test_bits_of_the_type_in_a_mode_do_not_count(tmp_path: Path, field: bytes):
    content = bytearray(tar_of({"f": b"1"}, tarfile.GNU_FORMAT))
    content[100:108] = field
    content[148:156] = b" " * 8
    content[148:156] = f"{sum(content[:512]):06o}\0 ".encode()
    mode = (unpack(bytes(content), tmp_path / "tree") / "f").stat().st_mode
    assert stat.S_IMODE(mode) == (0o7777 if field[0] == 0xFF else 0o644)
