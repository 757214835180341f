"""docs/assets/build.svg: the first screen of README.md as an animated picture of a terminal.

tests/e2e/test_cli_terminal.py compares that screen with a real one; the picture has nothing that it has not.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from imagebuild import Build
from kubectl_imagebuild.frame import Row, Style, live
from kubectl_imagebuild.steps import Board, State, Step

README = Path(__file__).parents[2] / "README.md"
SCREEN = re.compile(r"^\$ (kubectl imagebuild build .*)\n((?:.+\n)+?)```", re.MULTILINE)
STEP = re.compile(r" => (.*?)\s+(\d+\.\d)s")
#: Pixels of a character, of a line, of the margin; columns and lines of the terminal.
ADVANCE, HEIGHT, MARGIN, COLUMNS, LINES = 8, 21, 18, 96, 24
#: Seconds: a frame, the command alone, and the end.
FRAME, TYPED, REST = 0.25, 1.25, 5.0
COLOURS = {Style.PLAIN: "#d0d7de", Style.RUNNING: "#e3b341", Style.DONE: "#79c0ff"}
START = datetime(2026, 12, 2, tzinfo=UTC)


def render() -> str:
    """Make the picture."""
    command, steps, head, last = _read(README.read_text(encoding="utf-8"))
    total = steps[-1].seconds(START) + (steps[-1].start - START).total_seconds()
    moments = [FRAME * number for number in range(1, int(total / FRAME) + 1)]
    rows = [_rows(head.split()[1], steps, START + timedelta(seconds=moment)) for moment in (*moments, total)]
    rows[-1] = [Row(head), *rows[-1][1:], *map(Row, last)]
    prompt = Row(f"$ {command}")
    times = [0.0, *(TYPED + moment for moment in moments), TYPED + total + FRAME]
    return _picture([[prompt], *([prompt, *each] for each in rows)], times, times[-1] + REST)


def _read(text: str) -> tuple[str, list[Step], str, list[str]]:
    """The command, the steps, the first line and the lines after the steps of the screen."""
    found = SCREEN.search(text)
    if found is None:
        raise ValueError("README.md has no screen of kubectl imagebuild build")
    head, *lines = found[2].splitlines()
    steps: list[Step] = []
    moment = START
    for line in lines:
        if said := STEP.fullmatch(line):
            begin, moment = moment, moment + timedelta(seconds=float(said[2]))
            steps.append(Step(said[1], begin, len(steps) + 1, State.DONE, moment))
    return found[1], steps, head, [line for line in lines if not STEP.fullmatch(line)]


def _rows(name: str, steps: Sequence[Step], now: datetime) -> list[Row]:
    """What the program shows of the steps at a moment."""
    begun = [step for step in steps if step.start < now]
    phase = "Building" if any(step.title.startswith("[1/") for step in begun) else "Preparing"
    board = Board()
    board.build, board.began = Build({"metadata": {"name": name}, "status": {"phase": phase}}), START
    board.steps = [
        step if step.end and step.end <= now else replace(step, state=State.RUNNING, end=None) for step in begun
    ]
    return live(board, now, COLUMNS + 1, LINES)


def _picture(frames: Sequence[Sequence[Row]], times: Sequence[float], whole: float) -> str:
    width = 2 * MARGIN + COLUMNS * ADVANCE
    height = 2 * MARGIN + HEIGHT * max(map(len, frames))
    steps = "".join(
        f"{100 * time / whole:.2f}%{{transform:translateX(-{number * width}px)}}" for number, time in enumerate(times)
    )
    last = (len(frames) - 1) * width
    texts = "\n".join(
        f'<text x="{number * width + MARGIN}" y="{MARGIN + HEIGHT * (row + 1) - 6}" fill="{COLOURS[each.style]}">'
        f"{escape(each.text)}</text>"
        for number, frame in enumerate(frames)
        for row, each in enumerate(frame)
    )
    return f"""\
<!-- Generated from README.md by tools/docs/terminal_picture.py. -->
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">
<title>kubectl imagebuild build on a terminal: each step appears with its time, and at the end the digest</title>
<style>
text{{font:13.3px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}}
.film{{animation:film {whole:.2f}s step-end infinite}}
@keyframes film{{{steps}}}
@media (prefers-reduced-motion){{.film{{animation:none;transform:translateX(-{last}px)}}}}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>
<g class="film">
{texts}
</g>
</svg>
"""
