"""Reports as tables and plots of a page, made by pure functions."""

import re
from collections.abc import Iterator

from measure.plot import Point, chart
from measure.report import Report, Series, shown

#: More points than this are a plot and not a table.
ROWS = 8


def slug(report: Report, measure: str) -> str:
    """The name of a plot's file."""
    return f"{report.name}-{re.sub(r'[^a-z0-9]+', '-', measure.lower()).strip('-')}.svg"


def grown(report: Report) -> dict[str, list[Series]]:
    """The series of the measures that were taken for several sizes, by measure."""
    found: dict[str, list[Series]] = {}
    for each in report.series:
        if each.size is not None:
            found.setdefault(each.measure, []).append(each)
    return {name: series for name, series in found.items() if len({each.size for each in series}) > 1}


def plots(report: Report) -> dict[str, str]:
    """The plots of a report by the names of their files: cost as work grows."""
    return {slug(report, measure): _plot(report, measure, series) for measure, series in grown(report).items()}


def _plot(report: Report, measure: str, series: list[Series]) -> str:
    unit, factor = series[0].unit, 1.0
    if unit == "s" and max(each.summary.high for each in series) < 1:
        unit, factor = "ms", 1000.0
    lines: dict[str, list[Point]] = {}
    for each in sorted(series, key=lambda one: one.size or 0):
        found = each.summary
        values = (value * factor for value in (found.median, found.low, found.high))
        lines.setdefault(each.case, []).append(Point(each.size or 0, *values))
    return chart(measure, report.context.get("sizes", {}).get(measure, "builds"), unit, lines)


def block(report: Report, folder: str) -> str:
    """The table of a report, its plots, and how it was made.

    Args:
        report: What was measured.
        folder: Where the plots are, as seen from the page.
    """
    many = {measure for measure, series in grown(report).items() if len({each.size for each in series}) > ROWS}
    rows = [row(report, each) for each in report.series if each.measure not in many]
    lines = ["| measure | | median | middle half | p99 | ratio |", "|---|---|---:|---:|---:|---:|", *rows, ""]
    lines += [f"![{measure}]({folder}/{slug(report, measure)})" for measure in grown(report)]
    if requests := report.context.get("requests"):
        lines += ["", f"Requests for a build: {', '.join(f'{count:.3g} {name}' for name, count in requests.items())}."]
    return "\n".join([*lines, *([] if lines[-1] == "" else [""]), *about(report)])


def row(report: Report, series: Series) -> str:
    """A series as a line of a table."""
    found, ratio, unit = series.summary, report.ratio(series), series.unit
    size = "" if series.size is None else f" ({series.size:,})"
    middle = f"{shown(found.low, unit)} to {shown(found.high, unit)}" if found.count > 1 else ""
    p99 = "" if found.p99 is None else shown(found.p99, unit)
    is_anchor = report.anchors.get(series.measure) == series.case
    last = "anchor" if is_anchor else "" if ratio is None else f"{ratio:.2f}"
    return f"| {series.measure}{size} | {series.case} | {shown(found.median, unit)} | {middle} | {p99} | {last} |"


def about(report: Report) -> Iterator[str]:
    """How, when and where it was measured."""
    machine = report.machine
    yield (
        f"`{report.command}`, {report.at[:10]}, commit `{machine['commit']}`; load average before and after: "
        f"{', '.join(map(str, report.loads))}; {machine['cpu']}, {machine['cores']} cores, {machine['memory']}, "
        f"Linux {machine['kernel']}, Python {machine['python']}."
        + (" **Short form (`--quick`), with few samples.**" if report.quick else "")
    )
