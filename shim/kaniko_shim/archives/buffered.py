"""A stream that arrives in large pieces and is read in small ones."""

from collections.abc import Callable


class Buffered:
    """Serves reads of any size from pieces of any size.

    The headers of a tar have 512 bytes each. Fetching each one separately, or cutting it off the front of a
    large piece by copying the rest, would take most of the time.
    """

    def __init__(self, refill: Callable[[], bytes]) -> None:
        """Args: `refill` returns the next piece, and an empty one at the end."""
        self._refill = refill
        self._piece = b""
        self._position = 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none only at the end."""
        if self._position >= len(self._piece):
            self._piece, self._position = self._refill(), 0
        content = self._piece[self._position : self._position + size]
        self._position += len(content)
        return content

    def peek(self, size: int) -> bytes:
        """The next bytes, which stay; fewer than `size` only at the end."""
        while len(self._piece) - self._position < size and (more := self._refill()):
            self._piece, self._position = self._piece[self._position :] + more, 0
        return self._piece[self._position : self._position + size]

    def piece(self) -> bytes:
        """The rest of the present piece, or the next one; empty only at the end."""
        content, self._piece = self._piece[self._position :], b""
        self._position = 0
        return content or self._refill()
