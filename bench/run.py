"""Run all benchmarks in one run, beside their anchors: `make bench`.

    .venv/bin/python bench/run.py [--quick] [NAME …]

The reports go to bench/results, from which `make docs` fills docs/performance.md; those of the short form go to
build/bench, and stay out of the page. The benchmarks run one after the other; those that fail are named at the end.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools")]

from environment import cluster_variables  # noqa: E402
from measure.report import RESULTS  # noqa: E402

QUICK_RESULTS = ROOT / "build" / "bench"


@dataclass(frozen=True)
class Benchmark:
    """One of the scripts here.

    Attributes:
        name: That of the script and of its report.
        quick: Whether it is run for every change, in its short form. The others have a short form by name.
        cluster: Whether it needs the whole test cluster: its registry, or its node.
    """

    name: str
    quick: bool = False
    cluster: bool = False

    @property
    def script(self) -> Path:
        """Its file."""
        return ROOT / "bench" / f"{self.name}.py"


BENCHMARKS = (
    Benchmark("dispatch", quick=True),
    Benchmark("sustained"),
    Benchmark("waiting"),
    Benchmark("restart"),
    Benchmark("memory"),
    Benchmark("watching"),
    Benchmark("tracked"),
    Benchmark("startup", quick=True),
    Benchmark("fetch_extract"),
    Benchmark("trivial", quick=True, cluster=True),
    Benchmark("shim_overhead", cluster=True),
    Benchmark("unchanged", cluster=True),
    Benchmark("real_projects"),
    Benchmark("cli", cluster=True),
    Benchmark("upload", cluster=True),
)


def main() -> int:
    """Run them; returns 1 if one failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the short form, for every change")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    told = parser.parse_args()
    if unknown := set(told.names) - {each.name for each in BENCHMARKS}:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    chosen = [each for each in BENCHMARKS if (each.name in told.names if told.names else each.quick or not told.quick)]
    environment = dict(os.environ)
    if any(each.cluster for each in chosen):
        environment |= cluster_variables()
    failed = [each.name for each in chosen if not run(each, environment, quick=told.quick)]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(benchmark: Benchmark, environment: dict[str, str], *, quick: bool) -> bool:
    """Run one of them; whether it succeeded."""
    result = (QUICK_RESULTS if quick else RESULTS) / f"{benchmark.name}.json"
    print(f"\n== {benchmark.name}", flush=True)
    begin = time.monotonic()
    command = [sys.executable, str(benchmark.script), "--json", str(result), *(["--quick"] if quick else [])]
    done = subprocess.run(command, env=environment if benchmark.cluster else None, check=False)
    print(f"   {time.monotonic() - begin:.0f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
