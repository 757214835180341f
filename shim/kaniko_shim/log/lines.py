"""Cuts bytes into lines of text as they arrive."""

from collections.abc import Callable

from kaniko_shim.log.masking import Masker

LONGEST = 64 * 1024
"""Bytes; a longer line is passed on in parts."""

OVERLAP = 8 * 1024
"""Bytes after the cut of a longer line that must have arrived before it is cut: at least so many, and at least as many
as the longest secret has. A secret is then seen whole, and is not cut in two, where it could not be masked."""


class Lines:
    """Cuts a stream of bytes into lines of text."""

    def __init__(self, on_line: Callable[[str], None], masker: Masker) -> None:
        """Make one for a stream.

        Args:
            on_line: gets each line, unmasked; of a very long line, each part.
            masker: knows the secrets, none of which is cut in two.
        """
        self._on_line = on_line
        self._masker = masker
        self._most = LONGEST + max(OVERLAP, masker.longest)
        self._pending = bytearray()

    def feed(self, content: bytes) -> None:
        """Take the next bytes."""
        # Appended in place: they may come one by one.
        self._pending += content
        if b"\n" not in content and len(self._pending) <= self._most:
            return
        *lines, rest = bytes(self._pending).split(b"\n")
        for line in lines:
            self._emit(self._cut(line))
        self._pending = bytearray(self._cut(rest))

    def end(self) -> None:
        """Pass on what has no line end behind it."""
        if self._pending:
            self._emit(bytes(self._pending))
            self._pending.clear()

    def _cut(self, line: bytes) -> bytes:
        """Pass on the first parts of a line that is too long; the rest."""
        begin = 0
        while len(line) - begin > self._most:
            window = line[begin : begin + self._most]
            cut = self._masker.whole(window, _place(window))
            self._emit(window[:cut])
            begin += cut
        return line[begin:]

    def _emit(self, line: bytes) -> None:
        # A carriage return inside of a line is a progress bar drawn over itself: its last state is kept.
        text = line.rstrip(b"\r").rpartition(b"\r")[2]
        self._on_line(text.decode("utf-8", "replace"))


def _place(window: bytes) -> int:
    """Where to cut: at a blank, or else not inside of a character."""
    blank = window.rfind(b" ", LONGEST, LONGEST + OVERLAP)
    if blank > 0:
        return blank
    return next((at for at in range(LONGEST, LONGEST - 4, -1) if window[at] & 0xC0 != 0x80), LONGEST)  # noqa: PLR2004 - UTF-8
