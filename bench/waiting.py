"""Thousands of builds that wait in one queue: what it costs to let each in, and what it does to another namespace.

Runs in a functional test cluster (etcd and kube-apiserver) of its own:

    .venv/bin/python bench/waiting.py [--quick]

As many builds as the size says are created in one namespace before the operator starts, which may run 10 at once;
simulated kubelets end each pod at once. When a third has been let in, one build is created in another namespace.
Measured are the builds let in per second, the operator's CPU time for each, and how long the other build waits.
"""

import asyncio
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from measure.report import Report, options  # noqa: E402
from parts.api import at_once  # noqa: E402
from parts.flow import Flow, flowing  # noqa: E402
from parts.functional import Functional, Process, fresh, make_namespaces  # noqa: E402

BUSY, QUIET = "bench-busy", "bench-quiet"
LIMIT = 10
SIZES, QUICK = (100, 1000, 5000), (100,)
ALONE = (QUIET, "alone")


async def measure(functional: Functional, size: int, report: Report) -> None:
    """One size."""
    async with functional.api() as api:
        await make_namespaces(api, [BUSY, QUIET])
    async with flowing(functional, lambda: 0.0) as flow:
        await at_once([(BUSY, f"build-{number}") for number in range(size)], flow.create)
        with functional.operator("", {"admission": {"maxRunning": LIMIT}}) as operator:
            process = Process(operator.pid)
            used = process.cpu()
            await flow.kubelets.count(1, 120)
            begin, begun = time.monotonic(), len(flow.kubelets.seen)
            waited = await other(flow, size)
            await flow.count(size + 1, 1200)
            seconds, cpu, memory = time.monotonic() - begin, process.cpu() - used, process.memory()
    report.add("let in from the queue", {"ImageBuild": [(size + 1 - begun) / seconds]}, "/s", size)
    report.add("CPU time for a build", {"operator": [cpu / (size + 1)]}, "s", size)
    report.add("wait of another namespace's build", {"ImageBuild": [waited]}, "s", size)
    report.add("memory", {"operator": [memory]}, "MiB", size)


async def other(flow: Flow, size: int) -> float:
    """Create a build in another namespace in the middle of it; seconds until its pod."""
    await flow.kubelets.count(size // 3, 600)
    await flow.create(ALONE)
    return await flow.kubelets.moment(*ALONE) - flow.created[ALONE]


def main() -> None:
    """Measure and report."""
    told = options(__doc__)
    report = Report("waiting", "bench/waiting.py", context={"builds at once": LIMIT})
    for size in QUICK if told.quick else SIZES:
        with fresh() as functional:
            asyncio.run(measure(functional, size, report))
    report.finish(told)


if __name__ == "__main__":
    main()
