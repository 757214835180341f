"""10,000 ImageBuilds an hour over 1,000 namespaces, for ten minutes, with simulated kubelets.

Runs in a functional test cluster (etcd and kube-apiserver) of its own:

    .venv/bin/python bench/sustained.py [--quick]

A build comes every 0.36 seconds, each in the next namespace; its pod runs for 60 seconds, so about 170 run at any time.
Measured are the times from a build's creation to its pod and from its pod's end to its own, the operator's CPU time and
memory, and the requests to the API server for each build: those of its metrics, less those of this program.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from measure.report import Report, options  # noqa: E402
from parts.flow import Flow, flowing, requests  # noqa: E402
from parts.functional import Functional, Process, fresh, make_namespaces  # noqa: E402
from parts.kinds import IMAGE_BUILD  # noqa: E402

PER_HOUR = 10_000


@dataclass(frozen=True)
class Load:
    """How much, and for how long."""

    builds: int
    namespaces: int
    per_hour: int
    pod_seconds: float


WHOLE, QUICK = Load(PER_HOUR // 6, 1000, PER_HOUR, 60), Load(40, 20, PER_HOUR, 3)


async def run(functional: Functional, operator: Process, load: Load, report: Report) -> None:
    """Create builds at a steady rate, and measure until all are finished."""
    names = [f"bench-{number:04d}" for number in range(load.namespaces)]
    async with functional.api() as api:
        await make_namespaces(api, names)
    async with flowing(functional, lambda: load.pod_seconds) as flow:
        before, used, memory = await requests(flow.api), operator.cpu(), [operator.memory()]
        await create(flow, names, load, operator, memory)
        await flow.count(load.builds, load.pod_seconds + 120)
        memory.append(operator.memory())
        spent = (operator.cpu() - used) / load.builds
        after = await requests(flow.api)
        report.add("created to pod", {"ImageBuild": flow.to_pod()}, "s", load.builds)
        report.add("pod ended to finished", {"ImageBuild": flow.to_finish()}, "s", load.builds)
        report.add("CPU time for a build", {"operator": [spent]}, "s", load.builds)
        report.add("memory", {"operator": memory}, "MiB", load.builds)
        counts = calls({key: after[key] - before.get(key, 0) for key in after}, load.builds, flow.kubelets.requests)
        report.add("requests for a build", {"operator": [sum(counts.values())]}, "", load.builds)
        key = next(iter(flow.finished))
        size = len(await flow.api.text("GET", f"{IMAGE_BUILD.path(key[0])}/{key[1]}"))
        report.add("a finished build in etcd", {"ImageBuild": [size / 1000]}, "kB")
        report.context |= {"pods at once": flow.kubelets.most, "requests": counts}


async def create(flow: Flow, names: Sequence[str], load: Load, operator: Process, memory: list[float]) -> None:
    """Create the builds, each at its time."""
    begin = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(load.builds):
            await asyncio.sleep(begin + number * 3600 / load.per_hour - time.monotonic())
            group.create_task(flow.create((names[number % len(names)], f"build-{number}")))
            if number % 100 == 0:
                memory.append(operator.memory())


def calls(counts: dict[tuple[str, str], float], builds: int, kubelets: int) -> dict[str, float]:
    """Requests of the operator for each build, by verb and resource: all, less those that this program has sent."""
    own = {("POST", "imagebuilds"): builds, ("PATCH", "pods/status"): kubelets}
    found = {f"{verb} {path}": (count - own.get((verb, path), 0)) / builds for (verb, path), count in counts.items()}
    return {name: round(count, 3) for name, count in sorted(found.items()) if count > 0}


def main() -> None:
    """Measure and report."""
    told = options(__doc__)
    load = QUICK if told.quick else WHOLE
    report = Report("sustained", "bench/sustained.py")
    report.context |= {"builds per hour": load.per_hour, "namespaces": load.namespaces, "pod runs": load.pod_seconds}
    with fresh() as functional, functional.operator() as operator:
        asyncio.run(run(functional, Process(operator.pid), load, report))
    report.finish(told)


if __name__ == "__main__":
    main()
