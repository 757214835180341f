"""docs/assets/build.svg: the first screen of README.md as an animated picture of a terminal.

tests/e2e/test_cli_terminal.py compares that screen with a real one; the picture has nothing that it has not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

README = Path(__file__).parents[2] / "README.md"
SCREEN = re.compile(r"^\$ (kubectl imagebuild build .*)\n((?:.+\n)+?)```", re.MULTILINE)
STEP = re.compile(r" => (.*?)\s+(\d+\.\d)s")
#: Pixels of a character, of a line, of the margin; and the columns.
ADVANCE, HEIGHT, MARGIN, COLUMNS = 8, 21, 18, 96
#: Seconds: a frame, the command alone, and the end.
FRAME, TYPED, REST = 0.25, 1.25, 5.0
COLOURS = {"": "#d0d7de", "done": "#79c0ff", "running": "#e3b341", "title": "#8b949e"}


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the screen, and when it begins and ends."""

    text: str
    begin: float
    end: float


Line = tuple[str, str]


def render() -> str:
    """Make the picture."""
    command, steps, head, last = _read(README.read_text(encoding="utf-8"))
    total = steps[-1].end
    moments = [FRAME * number for number in range(1, int(total / FRAME) + 1)]
    frames = [[(f"$ {command}", "")], *(list(_frame(command, head, steps, moment)) for moment in moments)]
    frames.append([*_frame(command, head, steps, total), *((line, "") for line in last)])
    times = [0.0, *(TYPED + moment for moment in moments), TYPED + total + FRAME]
    return _picture(frames, times, times[-1] + REST)


def _read(text: str) -> tuple[str, list[Step], str, list[str]]:
    """The command, the steps, the first line and the lines after the steps of the screen."""
    found = SCREEN.search(text)
    if found is None:
        raise ValueError("README.md has no screen of kubectl imagebuild build")
    head, *lines = found[2].splitlines()
    steps: list[Step] = []
    for line in lines:
        if step := STEP.fullmatch(line):
            begin = steps[-1].end if steps else 0.0
            steps.append(Step(step[1], begin, begin + float(step[2])))
    return found[1], steps, head, [line for line in lines if not STEP.fullmatch(line)]


def _frame(command: str, head: str, steps: Sequence[Step], moment: float) -> Iterator[Line]:
    yield f"$ {command}", ""
    begun = [step for step in steps if step.begin < moment]
    ended = sum(step.end <= moment for step in begun)
    name = head.split()[1]
    is_over = moment >= steps[-1].end
    yield head if is_over else f"[+] {name} {moment:.1f}s ({ended}/{len(begun)})", "title"
    for step in begun:
        time = f"{min(moment, step.end) - step.begin:.1f}s"
        room = COLUMNS - len(time) - 1
        text = f" => {step.text}"
        text = f"{text[: room - 1]}…" if len(text) > room else text
        yield f"{text:<{room}} {time}", "done" if step.end <= moment else "running"


def _picture(frames: Sequence[Sequence[Line]], times: Sequence[float], whole: float) -> str:
    width = 2 * MARGIN + COLUMNS * ADVANCE
    height = 2 * MARGIN + HEIGHT * max(map(len, frames))
    steps = "".join(
        f"{100 * time / whole:.2f}%{{transform:translateX(-{number * width}px)}}" for number, time in enumerate(times)
    )
    last = (len(frames) - 1) * width
    texts = "\n".join(
        f'<text x="{number * width + MARGIN}" y="{MARGIN + HEIGHT * (row + 1) - 6}" fill="{COLOURS[style]}">'
        f"{escape(text)}</text>"
        for number, frame in enumerate(frames)
        for row, (text, style) in enumerate(frame)
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
