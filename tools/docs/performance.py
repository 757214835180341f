"""Puts the tables of bench/results into docs/performance.md, and draws its plots."""

import json
import re
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from measure import page  # noqa: E402
from measure.report import RESULTS, Report, read  # noqa: E402

PAGE = "docs/performance.md"
PLOTS = "docs/assets/bench"
#: What is between these is generated from the results of that name.
BLOCK = re.compile(r"(?s)(<!-- results: (?P<name>[a-z_]+) -->\n).*?(<!-- end of results -->)")


@cache
def reports() -> dict[str, Report]:
    """What was measured, by name."""
    return {file.stem: read(json.loads(file.read_text(encoding="utf-8"))) for file in sorted(RESULTS.glob("*.json"))}


def render() -> str:
    """The page with the tables of today's results."""

    def filled(match: re.Match[str]) -> str:
        report = reports().get(match["name"])
        text = page.block(report, "assets/bench") if report else "Not measured yet."
        return f"{match[1]}\n{text}\n\n{match[3]}"

    return BLOCK.sub(filled, (ROOT / PAGE).read_text(encoding="utf-8"))


def plots() -> dict[str, Callable[[], str]]:
    """The files of all plots, and what makes each."""
    drawn = {name: text for report in reports().values() for name, text in page.plots(report).items()}
    return {f"{PLOTS}/{name}": partial(str, text) for name, text in drawn.items()}
