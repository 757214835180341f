"""Bytes as they arrive, cut into lines."""

from collections.abc import Callable

LONGEST = 64 * 1024
"""Bytes; a longer line is handed on in parts."""

OVERLAP = 8 * 1024
"""Bytes that are held back when a line is cut, so that a secret is not cut in two (and so not masked)."""


class Lines:
    """Cuts a stream of bytes into lines of text."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._pending = b""

    def feed(self, content: bytes) -> None:
        """Take the next bytes."""
        *lines, self._pending = (self._pending + content).split(b"\n")
        for line in lines:
            self._emit(line)
        while len(self._pending) > LONGEST + OVERLAP:
            cut = self._pending.rfind(b" ", LONGEST, LONGEST + OVERLAP)
            cut = cut if cut > 0 else LONGEST
            self._emit(self._pending[:cut])
            self._pending = self._pending[cut:]

    def end(self) -> None:
        """Hand on what has no line end behind it."""
        if self._pending:
            self._emit(self._pending)
            self._pending = b""

    def _emit(self, line: bytes) -> None:
        # A carriage return inside of a line is a progress bar drawn over itself: its last state is kept.
        text = line.rstrip(b"\r").rpartition(b"\r")[2]
        self._on_line(text.decode("utf-8", "replace"))
