"""What ADD does with a file of the context: as in BuildKit, its content decides."""

from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from kaniko_shim.archives.buffered import Buffered
from kaniko_shim.archives.entries import CHUNK, Kind, full_disk
from kaniko_shim.archives.extract import decompressed
from kaniko_shim.archives.tar import BLOCK, is_header, read_tar
from kaniko_shim.outcome.errors import JobError

_GZIP, _BZIP2 = b"\x1f\x8b\x08", b"BZh"
_XZ, _ZSTD = b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
# The first byte of a skippable frame is one of sixteen.
_SKIPPABLE_ZSTD = b"\x2a\x4d\x18"
_SHORTEST_SKIPPABLE = 8


class Added(Enum):
    """What a file is to ADD."""

    FILE = auto()
    """Copied as it is."""
    ARCHIVE = auto()
    """A tar that the executor unpacks: plain, gzip or bzip2."""
    DECOMPRESSED = auto()
    """A tar that the executor can't decompress: xz or zstd."""
    MISTAKEN = auto()
    """Compressed, but no tar: copied as it is, while the executor would try to unpack it."""


def added_as(path: Path) -> Added:
    """What ADD does with a regular file."""
    with path.open("rb") as stream:
        source = Buffered(lambda: stream.read(CHUNK))
        start = source.peek(BLOCK)
        native = start.startswith((_GZIP, _BZIP2))
        if not native and not start.startswith((_XZ, _ZSTD)) and not _is_skippable(start):
            return Added.ARCHIVE if is_header(start) else Added.FILE
        try:
            is_tar = is_header(decompressed(source).peek(BLOCK))
        except JobError:
            is_tar = False
    if not is_tar:
        return Added.MISTAKEN
    return Added.ARCHIVE if native else Added.DECOMPRESSED


@dataclass(frozen=True, slots=True)
class Lost:
    """What an executor loses of an archive that it unpacks.

    Attributes:
        owners: whether a symbolic link in it belongs to another user than root.
        pipes: whether it holds named pipes.
        capabilities: whether it holds programs with capabilities, which a later COPY --from of a directory loses.
    """

    owners: bool = False
    pipes: bool = False
    capabilities: bool = False


def lost_of(path: Path) -> Lost:
    """What is lost of an archive; as far as it can be read: of a damaged one, the executor says so."""
    owners, capabilities, pipes = False, False, list[None]()
    with path.open("rb") as stream, suppress(JobError):
        content = decompressed(Buffered(lambda: stream.read(CHUNK)))
        for entry in read_tar(content, skip_special=True, on_pipe=lambda: pipes.append(None)):
            owners |= entry.kind is Kind.SYMLINK and not entry.is_roots
            capabilities |= entry.has_capabilities
    return Lost(owners, bool(pipes), capabilities)


def decompress(path: Path, into: Path) -> None:
    """Write the content of a compressed file to a new one.

    Raises:
        JobError: SourceInvalid for a damaged file, DiskFull.
    """
    with path.open("rb") as stream, into.open("xb") as written:
        content = decompressed(Buffered(lambda: stream.read(CHUNK)))
        while chunk := content.read(CHUNK):
            try:
                written.write(chunk)
                written.flush()
            except OSError as error:
                raise full_disk() from error


def _is_skippable(start: bytes) -> bool:
    return len(start) >= _SHORTEST_SKIPPABLE and start[0] & 0xF0 == 0x50 and start[1:4] == _SKIPPABLE_ZSTD  # noqa: PLR2004 - bytes
