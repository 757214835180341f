"""Compressed streams, read forward only and in bounded memory."""

import sys
from collections.abc import Callable
from typing import Protocol

from kaniko_shim.archives.buffered import Buffered
from kaniko_shim.archives.entries import CHUNK, damaged

XZ_MEMORY = 256 * 1024 * 1024
"""Bytes of memory that decompressing LZMA can take; `xz -9` needs 65 MiB."""

# The largest window of a .zst file: 128 MiB, as `zstd --ultra --long=27` writes it.
_ZSTD_WINDOW_LOG = 27


class Reader(Protocol):
    """A stream that is read forward."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none only at the end."""


class _Decoder(Protocol):
    """A decoder of one compressed stream: what bz2, lzma and zstd have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Gzip:
    """zlib's decoder in the form of the others."""

    def __init__(self) -> None:
        import zlib  # noqa: PLC0415 - only gzip needs it

        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


class Decompressed(Buffered):
    """The content of one compressed stream, or of several in a row.

    Attributes:
        streams: how many streams have started. A stream that ends vouches for its own length; it does not
            tell whether others should have followed.
    """

    def __init__(self, source: Reader, make: Callable[[], _Decoder], errors: tuple[type[Exception], ...]) -> None:
        """Args: `make` makes the decoder of one stream, and `errors` are what it raises for damaged ones."""
        super().__init__(self._refill_or_refuse)
        self._source = source
        self._make = make
        self._errors = errors
        self._decoder = make()
        self._pending = b""
        self.streams = 1

    def _refill_or_refuse(self) -> bytes:
        try:
            return self._next_piece()
        except self._errors as error:
            raise damaged(str(error) or "it can't be decompressed") from error

    def _next_piece(self) -> bytes:
        while True:
            if self._decoder.eof and not self._next_stream():
                return b""
            data = self._pending
            self._pending = b""
            if not data and self._decoder.needs_input:
                data = self._source.read(CHUNK)
                if not data:
                    raise damaged("its compressed stream is cut off")
            if content := self._decoder.decompress(data, CHUNK):
                return content

    def _next_stream(self) -> bool:
        """Whether another stream follows; padding with zeros between streams is skipped."""
        rest = self._decoder.unused_data.lstrip(b"\0")
        while not rest:
            chunk = self._source.read(CHUNK)
            if not chunk:
                return False
            rest = chunk.lstrip(b"\0")
        self._decoder = self._make()
        self._pending = rest
        self.streams += 1
        return True


def gunzip(source: Reader) -> Decompressed:
    """The content of a gzip stream."""
    import zlib  # noqa: PLC0415 - only gzip needs it

    return Decompressed(source, _Gzip, (zlib.error,))


def bunzip2(source: Reader) -> Decompressed:
    """The content of a bzip2 stream."""
    import bz2  # noqa: PLC0415 - only bzip2 needs it

    return Decompressed(source, bz2.BZ2Decompressor, (OSError, ValueError))


def unxz(source: Reader) -> Decompressed:
    """The content of an xz or lzma stream."""
    import lzma  # noqa: PLC0415 - only xz needs it

    return Decompressed(source, lambda: lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=XZ_MEMORY), (lzma.LZMAError,))


def unzstd(source: Reader) -> Decompressed:
    """The content of a zstd stream."""
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415 - only zstd needs it
    else:
        from backports import zstd  # noqa: PLC0415 - only zstd needs it

    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
    return Decompressed(source, lambda: zstd.ZstdDecompressor(options=options), (zstd.ZstdError, EOFError))
