"""An operator that starts where thousands of builds are finished: time until it is ready and until a pod, and memory.

Runs in a functional test cluster (etcd and kube-apiserver) of its own:

    .venv/bin/python bench/restart.py [--quick]

Finished builds are made in 100 namespaces, then the operator starts several times; each time one build waits for it.
The time includes the start of the process, which has imported everything before.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from measure.report import Report, options  # noqa: E402
from parts.api import MERGE, Api, at_once  # noqa: E402
from parts.functional import Functional, Process, fresh, make_namespaces  # noqa: E402
from parts.kinds import IMAGE_BUILD, POD  # noqa: E402
from parts.kubelets import Kubelets  # noqa: E402

NAMESPACES = [f"bench-{number:02d}" for number in range(100)]
SIZES, QUICK = (0, 1000, 10_000, 50_000), (0, 500)
STARTS, QUICK_STARTS = 5, 2
STATUS: dict[str, Any] = {
    "observedGeneration": 1,
    "phase": "Succeeded",
    "conditions": [
        {
            "type": kind,
            "status": "True",
            "reason": "Succeeded",
            "message": "",
            "lastTransitionTime": "2026-11-24T08:00:00Z",
        }
        for kind in ("Succeeded", "Finished", "Ready")
    ],
    "message": "Pushed registry.example.com/team/app:1 as sha256:" + "ab" * 32 + ".",
    "completionTime": "2026-11-24T08:00:00Z",
    "digest": "sha256:" + "ab" * 32,
}


async def finish(api: Api, number: int) -> None:
    """Make a finished build."""
    path, name = IMAGE_BUILD.path(NAMESPACES[number % len(NAMESPACES)]), f"old-{number}"
    await api.ask("POST", path, IMAGE_BUILD.body(name))
    await api.ask("PATCH", f"{path}/{name}/status", {"status": STATUS}, MERGE)


async def start(functional: Functional, api: Api, number: int) -> tuple[float, float, float]:
    """Seconds until an operator is ready, seconds until its first pod, and MiB."""
    namespace, name = NAMESPACES[0], f"new-{number}"
    await api.ask("POST", IMAGE_BUILD.path(namespace), IMAGE_BUILD.body(name))
    kubelets = Kubelets(api, POD.path(namespace))
    task = asyncio.create_task(kubelets.run())
    await kubelets.watching.wait()
    begin = time.monotonic()
    with functional.operator() as operator:
        ready = asyncio.create_task(asyncio.to_thread(until_ready, operator.probe, begin))
        pod = await kubelets.moment(namespace, name, within=300) - begin
        seconds, memory = await ready, Process(operator.pid).memory()
    task.cancel()
    await api.ask("DELETE", f"{IMAGE_BUILD.path(namespace)}/{name}")
    await api.remove_all(POD.path(namespace))
    return seconds, pod, memory


def until_ready(probe: Any, begin: float) -> float:  # noqa: ANN401 - a method
    """Wait until the readiness probe succeeds; seconds."""
    while probe("/readyz")[0] != 200:  # noqa: PLR2004 - HTTP
        if time.monotonic() > begin + 300:
            raise TimeoutError("the operator is not ready after 300 s")
        time.sleep(0.01)
    return time.monotonic() - begin


async def run(functional: Functional, report: Report, *, quick: bool) -> None:
    """Make ever more finished builds, and start operators."""
    there, starts = 0, 1
    async with functional.api() as api:
        await make_namespaces(api, NAMESPACES)
        await start(functional, api, 0)  # imports everything
        for size in QUICK if quick else SIZES:
            await at_once(range(there, size), lambda number: finish(api, number), 32)
            there, found = size, []
            for _ in range(QUICK_STARTS if quick else STARTS):
                found.append(await start(functional, api, starts))
                starts += 1
            ready, pod, memory = zip(*found, strict=True)
            report.add("start to ready", {"operator": ready}, "s", size)
            report.add("start to first pod", {"operator": pod}, "s", size)
            report.add("memory", {"operator": memory}, "MiB", size)


def main() -> None:
    """Measure and report."""
    told = options(__doc__)
    report = Report("restart", "bench/restart.py")
    with fresh() as functional:
        asyncio.run(run(functional, report, quick=told.quick))
    report.finish(told)


if __name__ == "__main__":
    main()
