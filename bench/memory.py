"""Whether the operator's memory stays flat while thousands of builds come and go.

Runs in a functional test cluster (etcd and kube-apiserver) of its own:

    .venv/bin/python bench/memory.py [--quick]

20,000 builds over 100 namespaces, 100 at any time; simulated kubelets end each pod at once, and a history limit of 10
per namespace lets the operator remove old builds. The memory is read after every 500 builds; the slope is that of a
line through the second half of these samples.
"""

import asyncio
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from measure.report import Report, options  # noqa: E402
from parts.api import at_once  # noqa: E402
from parts.flow import flowing  # noqa: E402
from parts.functional import Functional, Process, fresh, make_namespaces  # noqa: E402

NAMESPACES = [f"bench-{number:02d}" for number in range(100)]
BUILDS, QUICK = 20_000, 200
STEPS = 40
AT_ONCE = 100
SETTINGS = {"history": {"succeeded": 10, "failed": 10}}


async def run(functional: Functional, operator: Process, builds: int, report: Report) -> None:
    """Let builds through, and read the memory now and then."""
    async with functional.api() as api:
        await make_namespaces(api, NAMESPACES)
    samples: list[float] = []
    async with flowing(functional, lambda: 0.0) as flow:
        step, used = builds // STEPS, operator.cpu()

        async def one(number: int) -> None:
            await flow.create((NAMESPACES[number % len(NAMESPACES)], f"build-{number}"))
            await flow.count(number + 1 - AT_ONCE, 300)

        for begin in range(0, builds, step):
            await at_once(range(begin, begin + step), one, AT_ONCE)
            await flow.count(begin + step, 300)
            samples.append(operator.memory())
            report.add("memory", {"operator": [operator.memory()]}, "MiB", begin + step)
        cpu = (operator.cpu() - used) / builds
    half = samples[len(samples) // 2 :]
    slope = statistics.linear_regression(range(len(half)), half).slope * 1000 / step
    report.add("memory for 1,000 more builds", {"operator": [slope]}, "MiB")
    report.add("CPU time for a build", {"operator": [cpu]}, "s")


def main() -> None:
    """Measure and report."""
    told = options(__doc__)
    report = Report("memory", "bench/memory.py", context={"namespaces": len(NAMESPACES), "builds at once": AT_ONCE})
    with fresh() as functional, functional.operator("", SETTINGS) as operator:
        asyncio.run(run(functional, Process(operator.pid), QUICK if told.quick else BUILDS, report))
    report.finish(told)


if __name__ == "__main__":
    main()
