"""What a build spent its time on, as bars of text. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from kubectl_imagebuild.frame import elapsed
from kubectl_imagebuild.waterfall import Lane, Span, State

#: Characters of the longest bar, and at least so many in a narrow terminal.
WIDTH: Final = 40
_LEAST: Final = 10
#: Characters of a bar by its state.
_MARKS: Final = {State.DONE: "#", State.RUNNING: ">", State.FAILED: "x", State.CANCELLED: "-"}


def bars(lanes: Sequence[Lane], now: datetime, width: int) -> list[str]:
    """A line for each part of a build: its name, its time, and a bar at its place in the time of the whole build.

    Args:
        lanes: The parts of each platform.
        now: The current time.
        width: Columns of the terminal.
    """
    spans = [span for lane in lanes for span in lane.spans]
    if not spans:
        return []
    begin = min(span.start for span in spans)
    whole = max((max(span.end or now for span in spans) - begin).total_seconds(), 0.001)
    names = max(len(span.name) for span in spans)
    room = max(min(width - names - 17, WIDTH), _LEAST)
    lines = []
    for lane in lanes:
        if lane.name:
            lines.append(f"  {lane.name}")
        for span in lane.spans:
            first = (span.start - begin).total_seconds() / whole
            last = ((span.end or now) - begin).total_seconds() / whole
            bar = _bar(first, last, room, _MARKS[span.state])
            time = elapsed(max(((span.end or now) - span.start).total_seconds(), 0.0))
            lines.append(f"  {span.name:<{names}}  {time:>7}  |{bar}|{_detail(span)}")
    return lines


def _bar(first: float, last: float, width: int, mark: str) -> str:
    begin = min(int(first * width), width - 1)
    length = max(round(last * width) - begin, 1)
    return (" " * begin + mark * length)[:width].ljust(width)


def _detail(span: Span) -> str:
    return f" {span.detail}" if span.detail else ""
