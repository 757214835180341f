"""Reads zip archives."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from kaniko_shim.archives.entries import CHUNK, Entry, Kind, damaged, unsafe

_LONGEST_TARGET = 4096
_ENCRYPTED = 0x1
# Systems whose zip programs write \ between directories.
_BACKSLASH_SYSTEMS = frozenset({0, 10, 11})


def read_zip(stream: IO[bytes]) -> Iterator[Entry]:
    """The entries in order of the archive's directory; the stream must be seekable.

    Raises:
        JobError: SourceInvalid; the archive is damaged or holds something that is no part of a context.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            for member in archive.infolist():
                yield _entry(archive, member)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise damaged(str(error) or "it ends before its end") from error


def _entry(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Entry:
    name = member.filename
    if member.create_system in _BACKSLASH_SYSTEMS:
        name = name.replace("\\", "/")
    if member.flag_bits & _ENCRYPTED:
        raise unsafe(name, "is encrypted; make the zip without a password")
    mode = member.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if name.endswith("/") or kind == stat.S_IFDIR:
        return Entry(name, Kind.DIRECTORY, mode or 0o755)
    if kind == stat.S_IFLNK:
        if member.file_size > _LONGEST_TARGET:
            raise unsafe(name, "is a link with too long a target")
        return Entry(name, Kind.SYMLINK, target=archive.read(member).decode("utf-8", "surrogateescape"))
    if kind not in {0, stat.S_IFREG}:
        raise unsafe(name, "is a device or a pipe, which can't be part of a context")
    return Entry(name, Kind.FILE, mode or 0o644, chunks=_content(archive, member))


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk
