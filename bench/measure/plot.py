"""Small line charts as SVG, made by pure functions."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 36, 44
#: Colours that readers with any colour vision can keep apart (Okabe and Ito), on light and on dark ground.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
STYLE: Final = (
    "text{font:12px system-ui,sans-serif;fill:#444}.title{font-weight:600;font-size:13px}"
    ".grid{stroke:#8884;stroke-width:1}@media(prefers-color-scheme:dark){text{fill:#bbb}}"
)
#: An axis from one value to more than so many times as much is logarithmic.
_WIDE: Final = 50
#: Pixels between two labels.
_ROOM: Final = 14


@dataclass(frozen=True)
class Point:
    """A median over some size, with its quartiles."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic scale.

    Attributes:
        low: Value at the begin.
        high: Value at the end.
        begin: Where it begins, in pixels.
        end: Where it ends.
        logarithmic: Whether equal distances are equal ratios; zero is then at the begin.
    """

    low: float
    high: float
    begin: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The place of a value, in pixels."""
        if self.logarithmic:
            value = max(value, self.low)
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return round(self.begin + part * (self.end - self.begin), 1)

    def ticks(self) -> list[float]:
        """Round values."""
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            powers = [10.0**power for power in range(first, last + 1)]
            return powers if len(powers) > 1 else [self.low, self.high]
        rough = (self.high - self.low) / 5
        power = 10 ** math.floor(math.log10(rough))
        step = power * next(each for each in (1, 2, 5, 10) if each * power >= rough * 0.999)
        return [self.low + number * step for number in range(int((self.high - self.low) / step + 1.001))]


def chart(title: str, x_name: str, unit: str, lines: Mapping[str, Sequence[Point]]) -> str:
    """Draw lines with the range of the quartiles around them.

    Args:
        title: What is shown.
        x_name: What grows.
        unit: Of the values.
        lines: Points of each line by its name, in the order of x; at least one point.
    """
    points = [point for each in lines.values() for point in each]
    xs = sorted({point.x for point in points})
    positive = [x for x in xs if x > 0] or [1]
    wide = xs[-1] / positive[0] > _WIDE
    low = positive[0] / 10 if wide and xs[0] <= 0 else xs[0]
    across = Axis(low, xs[-1] if xs[-1] > low else low + 1, LEFT, WIDTH - RIGHT, wide)
    top = max(point.high for point in points) or 1
    up = Axis(min(0, *(point.low for point in points)), top * 1.05, HEIGHT - BOTTOM, TOP)
    parts = [*_frame(title, x_name, unit, across, up, has_zero=xs[0] <= 0)]
    labels = _spread([(up.at(each[-1].y), name) for name, each in lines.items()])
    for colour, (name, each) in zip(COLOURS, lines.items(), strict=False):
        parts += _line(colour, each, across, up)
        parts.append(
            f'<text x="{WIDTH - RIGHT + 10}" y="{labels[name] + 4}" style="fill:{colour}">{escape(name)}</text>'
        )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title><style>{STYLE}</style>", *parts, "</svg>", ""])


def _frame(title: str, x_name: str, unit: str, across: Axis, up: Axis, *, has_zero: bool) -> Iterator[str]:
    yield f'<text class="title" x="{LEFT}" y="18">{escape(title)}</text>'
    for value in up.ticks():
        y = up.at(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{_number(value)}</text>'
    for value in across.ticks():
        shown = "0" if has_zero and value == across.low else _number(value)
        yield f'<text x="{across.at(value)}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{shown}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_name)}</text>'
    yield f'<text x="{LEFT - 8}" y="{TOP - 8}" text-anchor="end">{escape(unit)}</text>'


def _line(colour: str, points: Sequence[Point], across: Axis, up: Axis) -> Iterator[str]:
    upper = [f"{across.at(point.x)},{up.at(point.high)}" for point in points]
    lower = [f"{across.at(point.x)},{up.at(point.low)}" for point in reversed(points)]
    middle = [f"{across.at(point.x)},{up.at(point.y)}" for point in points]
    yield f'<polygon points="{" ".join(upper + lower)}" fill="{colour}" opacity=".18"/>'
    yield f'<polyline points="{" ".join(middle)}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for place in middle:
        x, _, y = place.partition(",")
        yield f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>'


def _spread(labels: list[tuple[float, str]]) -> dict[str, float]:
    """Places of labels that do not cover each other."""
    placed: dict[str, float] = {}
    last = -math.inf
    for y, name in sorted(labels):
        last = max(y, last + _ROOM)
        placed[name] = round(last, 1)
    return placed


def _number(value: float) -> str:
    if value >= 1000:  # noqa: PLR2004 - thousands
        return f"{value / 1000:g}k"
    return f"{value:.3g}"
