"""A record of the executor's log: `time="…" level=info msg="…"`."""

import re
from dataclasses import dataclass

_BEGIN = re.compile(r'time="\d{4}-\d\d-\d\dT[^"]*" level=\w+ msg=')
_RECORD = re.compile(r'time="[^"]*" level=(\w+) msg=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_LOUD = frozenset({"warning", "error", "fatal"})

# What Go's strconv.Quote writes.
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_SINGLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_LAST_CHARACTER = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Record:
    """A parsed record.

    Attributes:
        level: such as info.
        message: the message, unquoted.
    """

    level: str
    message: str

    @property
    def shown(self) -> str:
        """The line for the log."""
        return f"{self.level.upper()}: {self.message}" if self.level in _LOUD else self.message


@dataclass(frozen=True, slots=True)
class Part:
    """A line of the log, or the part of one before a record that follows output without a line end.

    Attributes:
        text: as the executor has written it.
        record: what it is parsed to; None if it is no record.
    """

    text: str
    record: Record | None

    @property
    def shown(self) -> str:
        """The line for the log."""
        return self.record.shown if self.record else self.text


def parts_of(line: str) -> tuple[Part, ...]:
    """The line, in two parts if a record follows output without a line end."""
    begin = _BEGIN.search(line)
    texts = (line[: begin.start()], line[begin.start() :]) if begin and begin.start() else (line,)
    return tuple(Part(text, parse_record(text)) for text in texts)


def parse_record(line: str) -> Record | None:
    """Parse a record; None if the line has another form, such as a log line of another program."""
    match = _RECORD.fullmatch(line)
    return Record(match[1], _unquote(match[2])) if match else None


def _unquote(text: str) -> str:
    return _ESCAPE.sub(_unescape, text[1:-1]) if text.startswith('"') else text


def _unescape(match: re.Match[str]) -> str:
    if match[4]:
        return _SINGLE.get(match[4], match[4])
    number = int(match[1] or match[2] or match[3], 16)
    return chr(number) if number <= _LAST_CHARACTER else match[0]
