"""The last lines of the log, kept for the result."""

from collections import deque

LINES = 40
LONGEST_LINE = 400


class LogTail:
    """Remembers the last lines, each cut to a bearable length."""

    def __init__(self) -> None:
        self._lines = deque[str](maxlen=LINES)

    def add(self, line: str) -> None:
        """Remember a line (already masked)."""
        if len(line) > LONGEST_LINE:
            line = line[: LONGEST_LINE - 1] + "…"
        self._lines.append(line)

    @property
    def text(self) -> str:
        """The lines, oldest first."""
        return "\n".join(self._lines)
