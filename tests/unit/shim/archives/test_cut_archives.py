"""An archive that is cut off anywhere is refused, whatever its format."""

import gzip
import io
import os
import random
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kaniko_shim.archives.extract import extract
from kaniko_shim.archives.tree import Tree
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from unit.shim.archives.archives import COMPRESSIONS, files_of, member, tar, tar_of, unpack, zip_of

BLOCK = 512
FILES = {"Dockerfile": b"FROM scratch\n", "a/b": b"b" * 700, "empty": b"", "n" * 120: b"n", "last": b"end\n"}
COMPRESSED = {name: compress for name, compress in COMPRESSIONS.items() if name != "tar"}
UNENDED = {name: compress for name, compress in COMPRESSED.items() if name != "lzma"}


def without_padding(content: bytes, blocks: int = 2) -> bytes:
    """A tar with as many blocks of zeros at its end."""
    entries = len(content.rstrip(b"\0"))
    return content[: entries + -entries % BLOCK] + bytes(blocks * BLOCK)


TAR = without_padding(tar_of(FILES))


def is_refused(content: bytes) -> bool:
    with tempfile.TemporaryDirectory() as directory:
        try:
            unpack(content, Path(directory, "tree"))
        except JobError as error:
            return error.failure.reason is Reason.SOURCE_INVALID
        return False


def archives() -> Iterator[tuple[str, bytes]]:
    """Names and archives, each of the same files."""
    yield "tar", TAR
    for name, compress in COMPRESSED.items():
        yield name, compress(TAR)
        yield f"{name}, of a tar with padding", compress(tar_of(FILES))
        if name != "lzma":
            yield (
                f"{name}, several streams",
                b"".join(compress(TAR[begin : begin + BLOCK]) for begin in range(0, len(TAR), BLOCK)),
            )
    yield "zip", zip_of(FILES)
    with zipfile.ZipFile(commented := io.BytesIO(zip_of(FILES)), "a") as archive:
        archive.comment = b"a comment"
    yield "zip with a comment", commented.getvalue()


@pytest.mark.parametrize(("kind", "content"), [*archives()], ids=lambda value: value if isinstance(value, str) else "")
def test_every_cut_is_refused(tmp_path: Path, kind: str, content: bytes):
    assert files_of(unpack(content, tmp_path / "tree")) == FILES
    step = 1 if len(content) < 1500 else 17
    cuts = {*range(0, len(content), step), *range(max(0, len(content) - 40), len(content))}
    cuts |= {near for block in range(0, len(content), BLOCK) for near in (block - 1, block, block + 1) if near >= 0}
    assert [cut for cut in sorted(cuts) if cut < len(content) and not is_refused(content[:cut])] == [], kind


@settings(max_examples=60)
@given(st.sampled_from([*COMPRESSIONS, "zip"]), st.randoms(use_true_random=False), st.floats(0, 1, exclude_max=True))
def test_any_cut_of_any_archive_is_refused(kind: str, chance: random.Random, where: float):
    files = {f"d{chance.randrange(3)}/{number}": chance.randbytes(chance.randrange(3000)) for number in range(6)}
    content = zip_of(files) if kind == "zip" else COMPRESSIONS[kind](without_padding(tar_of(files)))
    assert is_refused(content[: int(len(content) * where)])


@pytest.mark.parametrize("blocks", [0, 1])
def test_a_tar_without_its_end_is_refused(blocks: int):
    assert is_refused(without_padding(TAR, blocks))


@pytest.mark.parametrize("blocks", [0, 1])
@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_whole_compressed_stream_vouches_for_the_end(tmp_path: Path, kind: str, blocks: int):
    content = COMPRESSED[kind](without_padding(TAR, blocks))
    assert files_of(unpack(content, tmp_path / "tree")) == FILES


@pytest.mark.parametrize("kind", UNENDED)
def test_several_streams_do_not(kind: str):
    compress = UNENDED[kind]
    assert is_refused(compress(TAR[:BLOCK]) + compress(without_padding(TAR, 0)[BLOCK:]))


def test_a_digest_vouches_for_the_end(tmp_path: Path):
    with Tree(tmp_path / "tree", max_bytes=1 << 20, max_entries=100) as tree:
        extract(io.BytesIO(without_padding(TAR, 0)), tree, has_digest=True)
    assert files_of(tmp_path / "tree") == FILES


def test_a_block_of_zeros_between_entries_is_refused(tmp_path: Path):
    first = without_padding(tar_of({"a": b"1"}), 1)
    assert is_refused(first + TAR)
    assert is_refused(gzip.compress(first + TAR))
    # Two of them are the end, whatever comes after.
    assert files_of(unpack(first + bytes(BLOCK) + TAR, tmp_path / "tree")) == {"a": b"1"}


def test_an_extended_header_without_its_entry_is_refused():
    info = member("n" * 120)
    content = tar([(info, b"")], tarfile.PAX_FORMAT)
    assert is_refused(gzip.compress(content[: 2 * BLOCK]))


def damages() -> dict[str, Callable[[bytearray], None]]:
    def flip(content: bytearray) -> None:
        content[len(content) // 3] ^= 0xFF

    def zeros(content: bytearray) -> None:
        content[60:90] = bytes(30)

    return {"a flipped byte": flip, "zeros": zeros}


@pytest.mark.parametrize("damage", damages())
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_zip_is_refused_whatever_its_method(tmp_path: Path, method: int, damage: str):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a", os.urandom(1000))
    content = bytearray(buffer.getvalue())
    damages()[damage](content)
    with pytest.raises(JobError, match="archive is damaged") as caught:
        unpack(bytes(content), tmp_path / "tree")
    assert caught.value.failure.reason is Reason.SOURCE_INVALID


@settings(max_examples=150)
@given(st.sampled_from([0, 8, 12, 14]), st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), max_size=4))
def test_any_damage_to_a_zip_is_harmless(method: int, changes: list[tuple[int, int]]):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
    content = bytearray(buffer.getvalue())
    for place, value in changes:
        content[place % len(content)] = value
    with tempfile.TemporaryDirectory() as directory, suppress(JobError):
        unpack(bytes(content), Path(directory, "tree"), max_bytes=100_000)


def test_the_memory_of_a_zip_is_limited(tmp_path: Path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", b"1" * 1000)
    content = bytearray(buffer.getvalue())
    # Behind the local header: the name, four bytes, one of properties, and the dictionary's size.
    begin = 30 + 1 + 5
    content[begin : begin + 4] = (1 << 30).to_bytes(4, "little")
    with pytest.raises(JobError, match="needs a dictionary of 1073741824 bytes"):
        unpack(bytes(content), tmp_path / "tree")


def test_a_directory_of_a_zip_that_would_fill_the_memory_is_refused(tmp_path: Path):
    content = zip_of({"a": b"1"})
    directory = 128 * 1024 * 1024 + 1
    end = bytearray(content[-22:])
    end[12:20] = directory.to_bytes(4, "little") + (0).to_bytes(4, "little")
    archive = tmp_path / "archive.zip"
    with archive.open("wb") as stream:
        stream.write(b"PK\x03\x04")
        stream.truncate(directory + 10)
        stream.seek(0, os.SEEK_END)
        stream.write(end)
    with (
        archive.open("rb") as stream,
        Tree(tmp_path / "tree", max_bytes=1 << 20, max_entries=100) as tree,
        pytest.raises(JobError, match="its directory has 134217729 bytes"),
    ):
        extract(stream, tree)
