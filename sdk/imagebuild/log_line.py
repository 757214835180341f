"""Lines of a log, and where to continue after a broken connection."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

#: A timestamp: up to its second, the fraction, and the time zone of the node.
_STAMP: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a container of a build pod wrote.

    Attributes:
        text: The line, without its end.
        time: When the container wrote it; None if the node did not say.
        container: check, build, push or index.
        pod: Name of the pod.
        platform: Platform of the pod, for a multi-platform image, such as linux-arm64; else empty.
        attempt: Number of the attempt, from 1.
    """

    text: str
    time: datetime | None
    container: str
    pod: str
    platform: str = ""
    attempt: int = 1


class LineSplitter:
    """Splits a stream of bytes into lines; holds at most one line."""

    #: Bytes of a line of a log; a longer one is cut there.
    MAX_LINE: Final = 1024 * 1024

    def __init__(self, most: int | None = MAX_LINE) -> None:
        """Start empty.

        Args:
            most: Bytes of a line; a longer one is cut there. None for no limit.
        """
        self._rest = bytearray()
        self._most = most

    def feed(self, chunk: bytes) -> list[str]:
        """Return the lines that a chunk completes."""
        *complete, rest = chunk.split(b"\n")
        lines = []
        for part in complete:
            self._keep(part)
            lines.append(self._take())
        self._keep(rest)
        return lines

    def end(self) -> list[str]:
        """Return the last line if it has no end."""
        return [self._take()] if self._rest else []

    def _keep(self, part: bytes) -> None:
        self._rest += part if self._most is None else part[: max(self._most - len(self._rest), 0)]

    def _take(self) -> str:
        text = self._rest.decode(errors="replace").removesuffix("\r")
        self._rest.clear()
        return text


@dataclass(slots=True)
class Position:
    """Place in a container's log up to which lines have been read.

    The API server continues only from a second on, so the lines of that second come again and are skipped.
    """

    #: The last second of which lines have been read, in UTC, such as 2026-11-25T10:00:01; empty before the first line.
    second: str = ""
    #: Number of lines of that second.
    count: int = 0
    #: How many of them are still to come again.
    _again: int = field(default=0, init=False)

    def resume(self) -> str:
        """Prepare for the lines from that second on; the value of sinceTime, empty for the beginning."""
        self._again = self.count
        return f"{self.second}Z" if self.second else ""

    def take(self, raw: str) -> tuple[datetime | None, str] | None:
        """Split a line into its timestamp and its text; None if it was read before."""
        stamp, _, text = raw.partition(" ")
        time = _parse(stamp)
        if time is None:
            return None, raw
        second = f"{time:%Y-%m-%dT%H:%M:%S}"
        if self._again:
            self._again -= second == self.second
            return None
        # stdout and stderr may be out of order: a line of an earlier second does not come again.
        if second > self.second:
            self.second, self.count = second, 0
        self.count += second == self.second
        return time, text


def _parse(stamp: str) -> datetime | None:
    """Read a timestamp, in UTC; its nanoseconds are cut to microseconds."""
    match = _STAMP.fullmatch(stamp)
    if match is None:
        return None
    whole, fraction, zone = match.groups("")
    try:
        return datetime.fromisoformat(f"{whole}.{fraction[:6].ljust(6, '0')}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
