"""Unpacks an archive of any kind into a directory."""

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, cast

from kaniko_shim.archives.buffered import Buffered
from kaniko_shim.archives.decompress import Decompressed, Reader, bunzip2, gunzip, unxz, unzstd
from kaniko_shim.archives.entries import CHUNK, Entry, full_disk
from kaniko_shim.archives.tar import BLOCK, is_header, read_tar
from kaniko_shim.archives.tree import Tree, parts_of
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

_COMPRESSED = {
    b"\x1f\x8b": gunzip,
    b"BZh": bunzip2,
    b"\xfd7zXZ\x00": unxz,
    b"\x5d\x00\x00": unxz,
    b"\x28\xb5\x2f\xfd": unzstd,
    # How pzstd begins: a skippable frame with the size of the next one.
    b"\x50\x2a\x4d\x18": unzstd,
}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_TEXT = (b"<!DOCTYPE", b"<!doctype", b"<html", b"<HTML", b"<?xml", b"{")


def extract(source: Reader, tree: Tree, scratch: Path | None = None, *, has_digest: bool = False) -> None:
    """Unpack an archive, recognised by its first bytes, and read the stream to its end.

    Args:
        source: the archive.
        tree: where its entries go.
        scratch: where a zip that comes from a stream is spooled; None if `source` is a seekable file.
        has_digest: whether the caller compares the archive with a digest, so that it can't be cut off unnoticed.

    Raises:
        JobError: SourceInvalid, SourceTooLarge or DiskFull.
    """
    stream = Buffered(lambda: source.read(CHUNK))
    with closing(_entries(stream, source, scratch, has_digest=has_digest)) as entries:
        for entry in entries:
            tree.add(entry)
    while stream.read(CHUNK):
        pass


def inspect(source: IO[bytes]) -> None:
    """Read an archive to its end as `extract` does, but write nothing.

    Limits of size, and links, are left to `extract`.

    Raises:
        JobError: SourceInvalid; it is no archive, is damaged or cut off, or has an entry outside of its directory.
    """
    stream = Buffered(lambda: source.read(CHUNK))
    with closing(_entries(stream, source, None, has_digest=False)) as entries:
        for entry in entries:
            parts_of(entry.name)
            for _ in entry.chunks:
                pass
    while stream.read(CHUNK):
        pass


def is_archive(start: bytes) -> bool:
    """Whether the first `BLOCK` bytes are those of an archive; a compressed stream may still hold something else."""
    return start.startswith((*_COMPRESSED, *_ZIP)) or is_header(start)


def is_zip(start: bytes) -> bool:
    """Whether the first bytes are those of a zip archive."""
    return start.startswith(_ZIP)


def decompressed(stream: Buffered) -> Buffered:
    """The content of a compressed stream, recognised by its first bytes; any other stream itself."""
    start = stream.peek(BLOCK)
    # A tar whose first file is called ] begins as an LZMA stream does.
    decompress = (
        None
        if is_header(start)
        else next((each for magic, each in _COMPRESSED.items() if start.startswith(magic)), None)
    )
    return decompress(stream) if decompress else stream


def _entries(
    stream: Buffered, source: Reader, scratch: Path | None, *, has_digest: bool
) -> Generator[Entry, None, None]:
    start = stream.peek(BLOCK)
    if is_zip(start):
        yield from _zip_entries(stream, source, scratch)
        return
    content = decompressed(stream)
    block = content.peek(BLOCK)
    if not is_header(block) and (not block or any(block)):
        raise _unknown(start, compressed=content is not stream)

    def is_whole() -> bool:
        # Several streams may be the first of even more.
        return has_digest or (isinstance(content, Decompressed) and content.streams == 1)

    yield from read_tar(content, is_whole=is_whole)
    # The rest still belongs to the compressed stream, whose checksum comes last.
    while content.read(CHUNK):
        pass


def _zip_entries(stream: Buffered, source: Reader, scratch: Path | None) -> Iterator[Entry]:
    from tempfile import TemporaryFile  # noqa: PLC0415 - for this kind only

    from kaniko_shim.archives.zip import read_zip  # noqa: PLC0415 - for this kind only

    if scratch is None:
        yield from read_zip(cast("IO[bytes]", source))
        return
    with TemporaryFile(dir=scratch) as spool:
        while chunk := stream.read(CHUNK):
            _spool(chunk, spool)
        spool.seek(0)
        yield from read_zip(spool)


def _spool(chunk: bytes, spool: IO[bytes]) -> None:
    try:
        spool.write(chunk)
        spool.flush()
    except OSError as error:
        raise full_disk() from error


def _unknown(start: bytes, *, compressed: bool) -> JobError:
    if not start:
        problem = "The context's archive is empty."
    elif compressed:
        problem = "The context is compressed, but it does not hold a tar archive."
    elif start.lstrip().startswith(_TEXT):
        problem = "The context is text (HTML, XML or JSON), not an archive: the URL may lead to an error page."
    else:
        problem = "The context is neither a tar (plain, gz, xz, bz2 or zst) nor a zip archive."
    return JobError(Reason.SOURCE_INVALID, problem)
