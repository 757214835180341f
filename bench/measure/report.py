"""What a benchmark has measured: samples by measure and case, beside an anchor, as JSON and as text."""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measure.machine import facts, load
from measure.samples import Summary, summarise

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"


@dataclass(frozen=True)
class Series:
    """The samples of one case of one measure.

    Attributes:
        measure: What was measured, such as `created to pod`.
        case: Whose, such as `ImageBuild`.
        unit: `s`, `MiB`, `/s` and so on. Of a unit that begins with `/`, more is better.
        samples: All of them.
        size: How much work it was, where the measure is about growing work, such as 10000 files.
    """

    measure: str
    case: str
    unit: str
    samples: Sequence[float]
    size: int | None = None

    @property
    def summary(self) -> Summary:
        """What sums up the samples."""
        return summarise(self.samples)


@dataclass
class Report:
    """All that one benchmark has measured.

    Attributes:
        name: The name of the script and of the JSON file.
        command: How to do it again.
        anchors: For each measure, the case that the others are compared with.
        series: What was measured.
        context: Facts about this run, such as sizes, by name.
        machine: Facts about the machine and the versions of all parts.
        loads: Load averages over one minute, before and after.
        quick: Whether this was the short form.
        at: Day and time of the run in UTC.
    """

    name: str
    command: str
    anchors: Mapping[str, str] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    context: dict[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=facts)
    loads: list[float] = field(default_factory=lambda: [load()])
    quick: bool = False
    at: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))

    def add(
        self, measure: str, samples: Mapping[str, Sequence[float]], unit: str = "s", size: int | None = None
    ) -> None:
        """Add the samples of some cases."""
        self.series += [Series(measure, case, unit, list(taken), size) for case, taken in samples.items()]

    def ratio(self, series: Series) -> float | None:
        """How much worse than its anchor it is: 1 is as good, 2 twice as slow; None where there is none."""
        anchor = self.anchors.get(series.measure)
        if anchor is None or anchor == series.case:
            return None
        for other in self.series:
            if (other.measure, other.case, other.size) == (series.measure, anchor, series.size):
                ours, theirs = series.summary.median, other.summary.median
                if series.unit.startswith("/"):
                    ours, theirs = theirs, ours
                return ours / theirs if theirs else None
        return None

    def document(self) -> dict[str, Any]:
        """Give it as JSON."""
        series = [
            {
                "measure": each.measure,
                "case": each.case,
                "unit": each.unit,
                "size": each.size,
                "median": rounded(each.summary.median),
                "quartiles": [rounded(each.summary.low), rounded(each.summary.high)],
                "p99": None if each.summary.p99 is None else rounded(each.summary.p99),
                "ratio": None if (ratio := self.ratio(each)) is None else rounded(ratio),
                "samples": [rounded(sample) for sample in each.samples],
            }
            for each in self.series
        ]
        about = {"benchmark": self.name, "command": self.command, "at": self.at, "quick": self.quick}
        run = {"load": self.loads, "machine": self.machine, "context": self.context, "anchors": dict(self.anchors)}
        return {**about, **run, "series": series}

    def lines(self) -> Iterator[str]:
        """Give it as text, a line for each series."""
        for each in self.series:
            found, ratio = each.summary, self.ratio(each)
            size = "" if each.size is None else f" ({each.size:,})"
            yield (
                f"{each.measure + size:34} {each.case:26} {shown(found.median, each.unit):>12}"
                f"   middle half {shown(found.low, each.unit)} to {shown(found.high, each.unit)}"
                + ("" if found.p99 is None else f"   p99 {shown(found.p99, each.unit)}")
                + ("" if ratio is None else f"   ratio {ratio:.2f}")
            )

    def finish(self, options: "Options") -> None:
        """Print it, and write it where the options say."""
        self.loads.append(load())
        self.quick = options.quick
        print("\n".join(self.lines()))
        if options.json:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(dumped(self.document()), encoding="utf-8")


def read(document: Mapping[str, Any]) -> Report:
    """Give the report that JSON describes."""
    series = [
        Series(each["measure"], each["case"], each["unit"], each["samples"], each["size"])
        for each in document["series"]
    ]
    return Report(
        document["benchmark"],
        document["command"],
        document["anchors"],
        series,
        document["context"],
        document["machine"],
        document["load"],
        document["quick"],
        document["at"],
    )


def dumped(document: Mapping[str, Any]) -> str:
    """JSON with a line for each field, and the samples of a series in one line."""
    text = json.dumps({**document, "series": []}, indent=1)
    series = ",\n".join("  " + json.dumps(each) for each in document["series"])
    return text.replace('"series": []', f'"series": [\n{series}\n ]') + "\n"


def rounded(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")


def shown(value: float, unit: str) -> str:
    """A value for people, in a unit of its size."""
    if unit == "s" and abs(value) < 1:
        return f"{value * 1000:.3g} ms"
    digits = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits either way
    return f"{digits}{'' if unit.startswith('/') else ' '}{unit}".rstrip()


@dataclass(frozen=True)
class Options:
    """What all benchmarks are told on the command line.

    Attributes:
        quick: The short form, for every change.
        json: Where the report goes.
    """

    quick: bool
    json: Path | None


def options(description: str | None, arguments: Sequence[str] | None = None) -> Options:
    """Read the command line of a benchmark."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds")
    parser.add_argument("--json", type=Path, help="write the report to this file")
    found = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    return Options(found.quick, found.json)
