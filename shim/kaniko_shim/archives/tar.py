"""Reads tar archives: v7, ustar, GNU and pax.

The standard library's reader keeps every entry in memory and takes extended headers of any size; this
one holds one entry at a time.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from kaniko_shim.archives.decompress import Reader
from kaniko_shim.archives.entries import CHUNK, Entry, Kind, damaged, unsafe

BLOCK = 512
_LONGEST_EXTENSION = 1024 * 1024
# In an extended header, where each record begins with its length in digits.
_LONGEST_LENGTH = 10
_NEWLINE = ord("\n")
# The last second that 32 unsigned bits hold, in the year 2106.
_LATEST = Decimal(2**32 - 1)
_CAPABILITIES = "SCHILY.xattr.security.capability"
_READ_RECORDS = frozenset({"path", "linkpath", "size", "mtime", "uid", "gid", _CAPABILITIES})
_SPARSE = "GNU.sparse"

_FILE_TYPES = frozenset(b"\x0007")
_PIPE = b"6"
_REFUSED = {b"3": "is a device", b"4": "is a device", _PIPE: "is a named pipe", b"S": "is a sparse file"}
# Links, devices, directories and pipes: a size in their headers does not say that content follows.
_WITHOUT_CONTENT = frozenset({b"1", b"2", b"3", b"4", b"5", b"6"})


def read_tar(
    source: Reader,
    *,
    skip_special: bool = False,
    is_whole: Callable[[], bool] = lambda: False,
    on_pipe: Callable[[], None] = lambda: None,
) -> Iterator[Entry]:
    """The entries in order; the content of a file is readable until the next entry is asked for.

    Args:
        source: the archive.
        skip_special: whether devices, pipes and sparse files are skipped instead of refused.
        on_pipe: called for each named pipe that is skipped.
        is_whole: asked where the archive ends without its end blocks; True if something else vouches for its length.

    Raises:
        JobError: SourceInvalid; the archive is damaged, cut off, or holds something that a context can't hold.
    """
    stream = _Stream(source, is_whole)
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
        is_sparse = _SPARSE in extensions
        stream.begin(_content_size(header, size, extensions))
        if not (skip_special and (kind in _REFUSED or is_sparse)):
            yield _entry(header, extensions, stream, is_sparse=is_sparse)
        elif kind == b"S":
            stream.skip_sparse_map(header)
        elif kind == _PIPE:
            on_pipe()
        stream.skip()
    if here:
        raise damaged("its last entry is missing")


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
    def __init__(self, source: Reader, is_whole: Callable[[], bool]) -> None:
        self._source = source
        self._is_whole = is_whole
        self._left = 0
        self._padding = 0

    def header(self) -> bytes | None:
        """The next entry's header; None at the archive's end, which two blocks of zeros mark."""
        block = self._exactly(BLOCK, may_end=True)
        if any(block):
            if not is_header(block):
                raise damaged("a tar header's checksum is wrong")
            return block
        second = self._exactly(BLOCK, may_end=True) if block else b""
        if any(second):
            raise damaged("a block of zeros stands between its entries")
        if not second and not self._is_whole():
            raise damaged("it is cut off, since the two blocks of zeros that end a tar are missing")
        return None

    def begin(self, size: int) -> None:
        self._left = size
        self._padding = -size % BLOCK

    def content(self) -> Iterator[bytes]:
        while self._left:
            chunk = self._source.read(min(self._left, CHUNK))
            if not chunk:
                raise damaged("it is cut off inside a file")
            self._left -= len(chunk)
            yield chunk

    def skip(self) -> None:
        for _ in self.content():
            pass
        self._exactly(self._padding)
        self._padding = 0

    def skip_sparse_map(self, header: bytes) -> None:
        """The blocks in which GNU tar continues the map of a sparse file, before its content."""
        more = header[482]
        while more:
            more = self._exactly(BLOCK)[504]

    def extension(self, size: int) -> bytes:
        if size > _LONGEST_EXTENSION:
            raise damaged("an extended header is too long")
        content = self._exactly(size)
        self._exactly(-size % BLOCK)
        return content

    def _exactly(self, size: int, *, may_end: bool = False) -> bytes:
        content = self._source.read(size) if size else b""
        if len(content) == size or (may_end and not content):
            return content
        whole = bytearray(content)
        while len(whole) < size:
            chunk = self._source.read(size - len(whole))
            if not chunk:
                raise damaged("it is cut off inside an entry")
            whole += chunk
        return bytes(whole)


def _content_size(header: bytes, size: int, extensions: dict[str, str]) -> int:
    """Bytes of content that follow the header."""
    kind = header[156:157]
    # The last: how tar wrote directories before it had a type for them.
    if kind in _WITHOUT_CONTENT or (kind == b"\0" and _name_of(header, extensions).endswith("/")):
        return 0
    try:
        size = int(extensions.get("size", size))
    except ValueError as error:
        raise damaged("the size in a tar header is not a number") from error
    if size < 0:
        raise damaged("the size in a tar header is negative")
    return size


def _entry(header: bytes, extensions: dict[str, str], stream: _Stream, *, is_sparse: bool) -> Entry:
    name = _name_of(header, extensions)
    target = extensions.get("linkpath") or _text(header[157:257])
    kind = header[156:157]
    # Some programs write the bits of the type, too.
    mode = _field(header[100:108]) & 0o7777
    modified = _modified(header, extensions)
    if is_sparse:
        raise unsafe(name, "is a sparse file; make the archive without --sparse")
    match kind:
        case b"5":
            return Entry(name, Kind.DIRECTORY, mode, modified=modified)
        case b"2":
            return Entry(name, Kind.SYMLINK, target=target, modified=modified, is_roots=_is_roots(header, extensions))
        case b"1":
            return Entry(name, Kind.HARDLINK, target=target)
        case _ if kind in _REFUSED:
            raise unsafe(name, f"{_REFUSED[kind]}, which can't be part of a context")
        case _ if kind and kind[0] not in _FILE_TYPES:
            raise unsafe(name, f"is of the unknown tar type {kind!r}")
        case _ if name.endswith("/"):
            return Entry(name, Kind.DIRECTORY, mode, modified=modified)
        case _:
            capable = _CAPABILITIES in extensions
            return Entry(name, Kind.FILE, mode, chunks=stream.content(), modified=modified, has_capabilities=capable)


def _modified(header: bytes, extensions: dict[str, str]) -> int:
    """When an entry was modified, in nanoseconds since 1970, within what file systems can record."""
    try:
        seconds = Decimal(extensions.get("mtime") or _number(header[136:148]))
    except (ArithmeticError, ValueError) as error:
        raise damaged("the modification time in a tar header is not a number") from error
    return int(min(max(seconds, Decimal(0)), _LATEST) * 10**9) if seconds.is_finite() else 0


def _is_roots(header: bytes, extensions: dict[str, str]) -> bool:
    ids = ((extensions.get("uid"), header[108:116]), (extensions.get("gid"), header[116:124]))
    return all((given or "0").strip() == "0" if given is not None else not _field(own) for given, own in ids)


def _name_of(header: bytes, extensions: dict[str, str]) -> str:
    return extensions.get("path") or _name(header)


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
        raise damaged("a field of a tar header is not a number") from error


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        # GNU's base 256: a two's complement of which the highest bit is the mark.
        return int.from_bytes(bytes([field[0] & 0x7F | (field[0] & 0x40) << 1]) + field[1:], "big", signed=True)
    digits = field.partition(b"\0")[0].strip()
    return int(digits or b"0", 8)


def _pax(content: bytes) -> dict[str, str]:
    """The records that matter here; one of them stands for all that describe a sparse file."""
    records: dict[str, str] = {}
    begin = 0
    while begin < len(content):
        blank = content.find(b" ", begin, begin + _LONGEST_LENGTH)
        if blank < 0 or not content[begin:blank].isdigit():
            raise damaged("an extended header is malformed")
        end = begin + int(content[begin:blank])
        equals = content.find(b"=", blank, end)
        if equals < 0 or end > len(content) or content[end - 1] != _NEWLINE:
            raise damaged("an extended header is malformed")
        key = content[blank + 1 : equals].decode("utf-8", "replace")
        if key in _READ_RECORDS:
            records[key] = content[equals + 1 : end - 1].decode("utf-8", "surrogateescape")
        elif key.startswith("GNU.sparse."):
            records[_SPARSE] = ""
        begin = end
    return records
