"""Reads tar archives: v7, ustar, GNU and pax.

The standard library's reader keeps every entry in memory and takes extended headers of any size; this
one holds one entry at a time.
"""

from collections.abc import Iterator

from kaniko_shim.archives.decompress import Reader
from kaniko_shim.archives.entries import CHUNK, Entry, Kind, damaged, unsafe

BLOCK = 512
_LONGEST_EXTENSION = 1024 * 1024

_FILE_TYPES = frozenset(b"\x0007")
_REFUSED = {b"3": "is a device", b"4": "is a device", b"6": "is a named pipe", b"S": "is a sparse file"}


def read_tar(source: Reader, *, skip_special: bool = False) -> Iterator[Entry]:
    """The entries in order; a file's content must be read before the next entry is asked for, or is skipped.

    Args:
        source: the archive.
        skip_special: whether devices and the like are passed over, as opposed to refused.

    Raises:
        JobError: SourceInvalid; the archive is damaged or holds something that is no part of a context.
    """
    stream = _Stream(source)
    everywhere: dict[str, str] = {}
    here: dict[str, str] = {}
    while (header := stream.header()) is not None:
        kind = header[156:157]
        size = _field(header[124:136])
        if kind in b"gxLK" and kind:
            content = stream.extension(size)
            if kind == b"g":
                everywhere |= _pax(content)
            elif kind == b"x":
                here |= _pax(content)
            else:
                here["path" if kind == b"L" else "linkpath"] = _text(content)
            continue
        extensions = everywhere | here
        here = {}
        if skip_special and kind in _REFUSED:
            stream.begin(size)
            stream.skip()
            continue
        yield _entry(header, size, extensions, stream)
        stream.skip()


def is_header(block: bytes) -> bool:
    """Whether a block is the header of a tar entry, judged by its checksum."""
    if len(block) < BLOCK or not any(block):
        return False
    try:
        expected = _number(block[148:156])
    except ValueError:
        return False
    rest = block[:148] + b" " * 8 + block[156:BLOCK]
    return sum(rest) == expected or sum(byte - 256 if byte > 127 else byte for byte in rest) == expected  # noqa: PLR2004 - old tars summed signed bytes


class _Stream:
    def __init__(self, source: Reader) -> None:
        self._source = source
        self._left = 0
        self._padding = 0

    def header(self) -> bytes | None:
        block = self._exactly(BLOCK, may_end=True)
        if not any(block):
            return None
        if not is_header(block):
            raise damaged("a tar header's checksum is wrong")
        return block

    def begin(self, size: int) -> None:
        self._left = size
        self._padding = -size % BLOCK

    def content(self) -> Iterator[bytes]:
        while self._left:
            chunk = self._source.read(min(self._left, CHUNK))
            if not chunk:
                raise damaged("it ends inside of a file")
            self._left -= len(chunk)
            yield chunk

    def skip(self) -> None:
        for _ in self.content():
            pass
        self._exactly(self._padding)
        self._padding = 0

    def extension(self, size: int) -> bytes:
        if size > _LONGEST_EXTENSION:
            raise damaged("an extended header is too long")
        content = self._exactly(size)
        self._exactly(-size % BLOCK)
        return content

    def _exactly(self, size: int, *, may_end: bool = False) -> bytes:
        content = b""
        while len(content) < size:
            chunk = self._source.read(size - len(content))
            if not chunk:
                if may_end and not content:
                    return b""
                raise damaged("it ends inside of an entry")
            content += chunk
        return content


def _entry(header: bytes, size: int, extensions: dict[str, str], stream: _Stream) -> Entry:
    name = extensions.get("path") or _name(header)
    target = extensions.get("linkpath") or _text(header[157:257])
    kind = header[156:157]
    try:
        size = int(extensions.get("size", size))
    except ValueError as error:
        raise damaged("a tar header holds no number where one belongs") from error
    mode = _field(header[100:108])
    if size < 0:
        raise damaged("a tar header holds a negative size")
    if any(key.startswith("GNU.sparse.") for key in extensions):
        raise unsafe(name, "is a sparse file; make the archive without --sparse")
    stream.begin(size)
    match kind:
        case b"5":
            return Entry(name, Kind.DIRECTORY, mode)
        case b"2":
            return Entry(name, Kind.SYMLINK, target=target)
        case b"1":
            return Entry(name, Kind.HARDLINK, target=target)
        case _ if kind in _REFUSED:
            raise unsafe(name, f"{_REFUSED[kind]}, which can't be part of a context")
        case _ if kind and kind[0] not in _FILE_TYPES:
            raise unsafe(name, f"is of the unknown tar type {kind!r}")
        case _ if name.endswith("/"):
            # How tar wrote directories before it had a type for them.
            return Entry(name, Kind.DIRECTORY, mode)
        case _:
            return Entry(name, Kind.FILE, mode, chunks=stream.content())


def _name(header: bytes) -> str:
    name = _text(header[:100])
    if header[257:263] == b"ustar\0" and (prefix := _text(header[345:500])):
        return f"{prefix}/{name}"
    return name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _field(field: bytes) -> int:
    try:
        return _number(field)
    except ValueError as error:
        raise damaged("a tar header holds no number where one belongs") from error


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    digits = field.partition(b"\0")[0].strip()
    return int(digits or b"0", 8)


def _pax(content: bytes) -> dict[str, str]:
    records: dict[str, str] = {}
    while content:
        length, blank, _ = content.partition(b" ")
        if not blank or not length.isdigit() or not len(length) + 1 < int(length) <= len(content):
            raise damaged("an extended header is malformed")
        record = content[len(length) + 1 : int(length)]
        content = content[int(length) :]
        key, equals, value = record.partition(b"=")
        if not equals or not record.endswith(b"\n"):
            raise damaged("an extended header is malformed")
        records[key.decode("utf-8", "replace")] = value[:-1].decode("utf-8", "surrogateescape")
    return records
