"""Compressed streams, read forward only and in bounded memory."""

from collections.abc import Callable
from typing import IO, Protocol, cast

from kaniko_shim.archives.buffered import Buffered
from kaniko_shim.archives.entries import CHUNK, damaged

# What an .xz file may ask for as its dictionary; `xz -9` needs 65 MiB.
_XZ_MEMORY = 256 * 1024 * 1024
_ZSTD_WINDOW = 128 * 1024 * 1024


class Reader(Protocol):
    """A stream that can be read forward."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, and none at the end only."""


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def feed(self, data: bytes, limit: int) -> bytes: ...
    @property
    def hungry(self) -> bool: ...


class _Gzip:
    def __init__(self) -> None:
        import zlib  # noqa: PLC0415 - for this kind only

        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def hungry(self) -> bool:
        return not self._inner.unconsumed_tail

    def feed(self, data: bytes, limit: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, limit)


class _Bounded(Protocol):
    """What bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Standard:
    def __init__(self, inner: _Bounded) -> None:
        self._inner = inner

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def hungry(self) -> bool:
        return self._inner.needs_input

    def feed(self, data: bytes, limit: int) -> bytes:
        return self._inner.decompress(data, limit)


class _Decompressed:
    """One or several compressed streams, one behind the other, as one."""

    def __init__(self, source: Reader, make: Callable[[], _Decoder], errors: tuple[type[Exception], ...]) -> None:
        self._source = source
        self._make = make
        self._errors = errors
        self._decoder = make()
        self._pending = b""
        self._began = False

    def piece(self) -> bytes:
        """The next piece of the content, empty at the end."""
        try:
            return self._piece()
        except self._errors as error:
            raise damaged(str(error) or "it can't be decompressed") from error

    def _piece(self) -> bytes:
        while True:
            if self._decoder.eof and not self._next_stream():
                return b""
            data = self._pending
            self._pending = b""
            if not data and self._decoder.hungry:
                data = self._source.read(CHUNK)
                if not data:
                    raise damaged("it ends before its end")
            self._began = True
            if content := self._decoder.feed(data, CHUNK):
                return content

    def _next_stream(self) -> bool:
        rest = self._decoder.unused_data.lstrip(b"\0")
        while not rest:
            chunk = self._source.read(CHUNK)
            if not chunk:
                return False
            rest = chunk.lstrip(b"\0")
        self._decoder = self._make()
        self._pending = rest
        return True


def gunzip(source: Reader) -> Buffered:
    """The content of a gzip stream."""
    import zlib  # noqa: PLC0415 - for this kind only

    return Buffered(_Decompressed(source, _Gzip, (zlib.error,)).piece)


def bunzip2(source: Reader) -> Buffered:
    """The content of a bzip2 stream."""
    import bz2  # noqa: PLC0415 - for this kind only

    return Buffered(_Decompressed(source, lambda: _Standard(bz2.BZ2Decompressor()), (OSError, ValueError)).piece)


def unxz(source: Reader) -> Buffered:
    """The content of an xz or lzma stream."""
    import lzma  # noqa: PLC0415 - for this kind only

    def make() -> _Standard:
        return _Standard(lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=_XZ_MEMORY))

    return Buffered(_Decompressed(source, make, (lzma.LZMAError,)).piece)


class _Unzstd:
    def __init__(self, source: Reader) -> None:
        import zstandard  # noqa: PLC0415 - for this kind only

        self._error = zstandard.ZstdError
        decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        stream = cast("IO[bytes]", _Sized(source))
        self._inner = decompressor.stream_reader(stream, read_across_frames=True)

    def piece(self) -> bytes:
        """The next piece of the content, empty at the end."""
        try:
            return self._inner.read(CHUNK)
        except self._error as error:
            raise damaged(str(error)) from error


class _Sized:
    """Gives the library a `read` that may be called without a size."""

    def __init__(self, source: Reader) -> None:
        self._source = source

    def read(self, size: int = CHUNK) -> bytes:
        return self._source.read(size)


def unzstd(source: Reader) -> Buffered:
    """The content of a zstd stream."""
    return Buffered(_Unzstd(source).piece)
