"""The last lines of the log, for the result."""

from collections import deque

LINES = 40
LONGEST_LINE = 400


class LogTail:
    """Keeps the last lines, each cut to LONGEST_LINE characters."""

    def __init__(self) -> None:
        self._lines = deque[str](maxlen=LINES)

    def add(self, line: str) -> None:
        """Add a line, already masked."""
        if len(line) > LONGEST_LINE:
            line = line[: LONGEST_LINE - 1] + "…"
        self._lines.append(line)

    @property
    def text(self) -> str:
        """The lines, oldest first."""
        return "\n".join(self._lines)
