"""What a terminal shows of a build: rows of text with a style. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from kubectl_imagebuild.screen_text import clean, columns, cut
from kubectl_imagebuild.steps import Board, State, Step

#: Lines of the log below each step that runs.
LOG_LINES: Final = 6
_INDENT: Final = "     "
_MINUTE: Final = 60.0


class Style(StrEnum):
    """What a row means, which the terminal shows by a colour."""

    PLAIN = "plain"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the terminal."""

    text: str
    style: Style = Style.PLAIN


_STYLES: Final = {
    State.RUNNING: Style.RUNNING,
    State.DONE: Style.DONE,
    State.CACHED: Style.DONE,
    State.FAILED: Style.FAILED,
    State.CANCELLED: Style.QUIET,
}
_WORDS: Final = {State.CACHED: "CACHED ", State.FAILED: "ERROR ", State.CANCELLED: "CANCELED "}


def live(board: Board, now: datetime, width: int, height: int) -> list[Row]:
    """The rows while a build runs; they fit into the terminal.

    Args:
        board: The steps.
        now: The current time.
        width: Columns of the terminal.
        height: Rows of the terminal.
    """
    room = max(height - 2 - bool(board.note), 0)
    running = [step for step in board.steps if step.state is State.RUNNING][-room:] if room else []
    room -= len(running)
    ended = [step for step in board.steps if step.state is not State.RUNNING]
    # Ended steps get at least half of what is left.
    tail = min(LOG_LINES, max(room - min(len(ended), room // 2), 0) // max(len(running), 1))
    tails = {step.number: list(step.lines)[-tail:] if tail else [] for step in running}
    room -= sum(map(len, tails.values()))
    hidden = len(ended) - room + 1 if len(ended) > room else 0
    rows = [_head(board, now, width)]
    if hidden and room:
        rows.append(Row(cut(f" => {hidden} steps before", width - 1), Style.QUIET))
    shown = sorted([*ended[hidden:], *running], key=lambda step: step.number)
    for step in shown if room or running else ():
        rows.append(_row(step, board.clock(step, now), width))
        rows += [Row(cut(f"{_INDENT}{line}", width - 1), Style.QUIET) for line in tails.get(step.number, ())]
    if board.note:
        rows.append(Row(cut(clean(board.note), width - 1)))
    return rows[: max(height - 1, 1)]


def final(board: Board, now: datetime, width: int) -> list[Row]:
    """All steps, after the end."""
    return [_head(board, now, width), *(_row(step, board.clock(step, now), width) for step in board.steps)]


def failed_lines(board: Board) -> tuple[str, Sequence[str]]:
    """Title and last lines of the step that failed; empty if none did."""
    for step in reversed(board.steps):
        if step.state is State.FAILED and step.pod:
            return step.title, tuple(step.lines)
    return "", ()


def elapsed(seconds: float) -> str:
    """A duration, such as 0.4s, 12.3s or 3m05s."""
    if seconds < _MINUTE:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < _MINUTE * _MINUTE:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def _head(board: Board, now: datetime, width: int) -> Row:
    ended = sum(step.state is not State.RUNNING for step in board.steps)
    name = phase = ""
    if board.build is not None:
        name, phase = board.build.name, str(board.build.phase or "Created")
    time = elapsed(((board.ended or now) - (board.began or now)).total_seconds())
    return Row(cut(f"[+] {name} {time} ({ended}/{len(board.steps)}) {phase}", width - 1))


def _row(step: Step, now: datetime, width: int) -> Row:
    time = elapsed(step.seconds(now))
    left = f" => {_WORDS.get(step.state, '')}{step.title}"
    if step.detail:
        left += f"  {step.detail}"
    room = max(width - 1 - len(time) - 1, 0)
    left = cut(left, room)
    return Row(cut(f"{left}{' ' * (room - columns(left))} {time}", width - 1), _STYLES[step.state])
