"""The executor's last words: its error, limited to a few lines of limited length."""

import re
from collections import deque
from collections.abc import Callable

from kaniko_shim.engines.kaniko.executor.record import Record

_FIRST_LINES, _LAST_LINES = 20, 20
_LONGEST = 2000
"""Characters of one line; of a longer line, the beginning and the end are kept."""

# How an error of the executor begins, or a crash of Go's runtime.
_BEGIN = re.compile(
    r"(?:error building image|error pushing image|error checking push permissions|error resolving|Error: |getting tag "
    r"|kaniko should only be run inside|fatal error: |panic: )"
)
_GLUED = "error building image: "
# A record of these levels is an error, and what it says is more than the crash of Go that follows some of them.
_FATAL = frozenset({"fatal", "panic"})
_CRASH_AFTER_PANIC = "panic: (*logrus.Entry)"
# The executor's last records, at the level debug, after its error.
_AFTERWARDS = ("registry connections: ", "tracing: ")
_USAGE_FOLLOWS = ("Error: unknown flag", "Error: unknown shorthand flag", "Error: invalid argument")


class LastWords:
    """Collects the lines that may be the executor's error.

    A RUN may print anything. So lines that look like an error count only if no record follows, and the error begins at
    the last line that looks like the beginning of one.
    """

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        """Args: `mask` hides secrets, before a line is shortened: half a secret would not be recognised."""
        self._mask = mask
        self._first = list[str]()
        self._last = deque[str](maxlen=_LAST_LINES)

    def end(self, record: Record) -> None:
        """A record follows: the executor goes on, unless the record itself is an error."""
        if record.level in _FATAL:
            self._clear()
            self._first.append(self._shortened(f"{record.level}: {record.message}"))
        elif not record.message.startswith(_AFTERWARDS):
            self._clear()

    def add(self, line: str) -> None:
        """Add a line that is not a record."""
        # It may follow output of a RUN that has no line end.
        line = line[max(line.rfind(_GLUED), 0) :]
        if line.startswith(_CRASH_AFTER_PANIC) and self._first:
            return
        if _BEGIN.match(line):
            self._clear()
            self._first.append(self._shortened(line))
        # An unknown flag is followed by the usage of every flag there is.
        elif self._first and not self._first[0].startswith(_USAGE_FOLLOWS):
            (self._first if len(self._first) < _FIRST_LINES else self._last).append(self._shortened(line))

    def _clear(self) -> None:
        if self._first:
            self._first.clear()
            self._last.clear()

    @property
    def text(self) -> str:
        """The error, or empty."""
        return "\n".join((*self._first, *self._last))

    def _shortened(self, line: str) -> str:
        line = self._mask(line)
        return line if len(line) <= _LONGEST else f"{line[: _LONGEST // 2]}…{line[-_LONGEST // 2 :]}"
