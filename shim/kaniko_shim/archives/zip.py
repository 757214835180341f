"""Reads zip archives."""

import calendar
import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, cast

from kaniko_shim.archives.decompress import XZ_MEMORY
from kaniko_shim.archives.entries import CHUNK, Entry, Kind, damaged, unsafe

_LONGEST_TARGET = 4096
# The directory of some hundred thousand entries; each takes ten times as much memory as there.
_LARGEST_READ = 32 * 1024 * 1024
_ENCRYPTED = 0x1
# Systems whose zip programs write \ between directories.
_BACKSLASH_SYSTEMS = frozenset({0, 10, 11})
# The record at the end, which a comment of up to 64 KiB follows.
_END = struct.Struct("<4s16xH")
_LONGEST_COMMENT = 0xFFFF
# In a member's own header, where the lengths of its name and extra field are.
_NAMES_OFFSET = 26
# The library, and the decoders that it does not shield its callers from. An OSError is bzip2's.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    EOFError, IndexError, NotImplementedError, OSError, RuntimeError, ValueError,
)  # fmt: skip


def read_zip(stream: IO[bytes]) -> Iterator[Entry]:
    """The entries in the order of the archive's directory; the stream must be seekable.

    Raises:
        JobError: SourceInvalid; the archive is damaged, cut off, or holds something that a context can't hold.
    """
    with _refused():
        archive = zipfile.ZipFile(cast("IO[bytes]", _Bounded(stream)))
        _check_end(stream)
    with archive:
        for member in archive.infolist():
            with _refused():
                entry = _entry(archive, member)
            yield entry


class _Bounded:
    """The archive, without reads that could fill the memory: the library reads its whole directory at once."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable
        self._read = stream.read

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; all that are left if it is negative, which the library asks for near the end only."""
        if size > _LARGEST_READ:
            raise zipfile.BadZipFile(f"its directory has {size} bytes, more than {_LARGEST_READ}")
        return self._read(size)


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise damaged(str(error) or "it is cut off") from error


def _check_end(stream: IO[bytes]) -> None:
    """Refuse an archive whose comment is cut off; the library reads any that has the record before it."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _END.size - _LONGEST_COMMENT))
    end = stream.read()
    begin = end.rfind(b"PK\x05\x06")
    _, comment = _END.unpack_from(end, begin)
    if begin + _END.size + comment > len(end):
        raise damaged("it is cut off inside its comment")


def _check_dictionary(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Refuse an LZMA member whose dictionary could fill the memory: the library sets no limit."""
    stream = archive.fp
    if member.compress_type != zipfile.ZIP_LZMA or stream is None:
        return
    stream.seek(member.header_offset + _NAMES_OFFSET)
    name, extra = struct.unpack("<HH", stream.read(4))
    stream.seek(name + extra, os.SEEK_CUR)
    (dictionary,) = struct.unpack("<5xI", stream.read(9))
    if dictionary > XZ_MEMORY:
        raise unsafe(member.filename, f"needs a dictionary of {dictionary} bytes to decompress")


def _entry(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Entry:
    name = member.filename
    if member.create_system in _BACKSLASH_SYSTEMS:
        name = name.replace("\\", "/")
    if member.flag_bits & _ENCRYPTED:
        raise unsafe(name, "is encrypted; make the zip without a password")
    _check_dictionary(archive, member)
    mode = member.external_attr >> 16
    kind = stat.S_IFMT(mode)
    modified = _modified(member)
    if name.endswith("/") or kind == stat.S_IFDIR:
        return Entry(name, Kind.DIRECTORY, mode or 0o755, modified=modified)
    if kind == stat.S_IFLNK:
        if member.file_size > _LONGEST_TARGET:
            raise unsafe(name, "is a link whose target is too long")
        with archive.open(member) as content:
            target = content.read(_LONGEST_TARGET)
        return Entry(name, Kind.SYMLINK, target=target.decode("utf-8", "surrogateescape"), modified=modified)
    if kind not in {0, stat.S_IFREG}:
        raise unsafe(name, "is a device or a pipe, which a context can't hold")
    return Entry(name, Kind.FILE, mode or 0o644, chunks=_content(archive, member), modified=modified)


def _modified(member: zipfile.ZipInfo) -> int | None:
    """When a member was modified, in nanoseconds since 1970; a zip has no time zone: UTC is taken."""
    try:
        return calendar.timegm(datetime(*member.date_time).timetuple()) * 10**9  # noqa: DTZ001 - as above
    except ValueError:
        # Programs that write no time leave zeros, which are no date.
        return None


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with _refused(), archive.open(member) as content:
        while chunk := content.read(CHUNK):
            yield chunk
