"""From an object to its pod, and from the pod's end to the object's: ImageBuild beside Job and Tekton's TaskRun.

Runs against the functional test cluster (etcd and kube-apiserver), which it starts if need be:

    .venv/bin/python bench/dispatch.py [--quick]

All controllers run at the same time, and take turns. Times are those of one client: from its call to the moment when a
watch shows the pod, one object at a time and in bursts of growing size; and from the call that ends the pod, as a
kubelet does, to the moment when a watch shows that the object is finished. The Job controller and Tekton's run with
rates of requests that do not hold them back; the operator has no limit.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from cluster import toolchain  # noqa: E402
from cluster.artefacts import artefact  # noqa: E402
from cluster.settings import SOURCES  # noqa: E402
from measure.report import Report, options  # noqa: E402
from parts.api import Api, at_once  # noqa: E402
from parts.functional import Functional, Process, fresh, make_namespaces  # noqa: E402
from parts.kinds import IMAGE_BUILD, JOB, POD, TASK_RUN, Kind  # noqa: E402
from parts.kubelets import Kubelets, succeeded  # noqa: E402

NAMESPACE = "bench-dispatch"
#: No operator watches it.
UNSEEN = "bench-dispatch-unseen"
KINDS = (POD, JOB, TASK_RUN, IMAGE_BUILD)
#: What the API server and the client take for the two objects that an ImageBuild leads to.
BY_HAND = "ImageBuild, then its pod, by the client"
ALONE, FINISHED, BURST, CPU = "created to pod", "pod ended to finished", "burst: pods", "CPU time for a pod"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    alone: int
    finished: int
    bursts: Sequence[int]
    repeats: int


QUICK, WHOLE = Sizes(30, 4, (100,), 1), Sizes(200, 30, (10, 100, 1000), 2)


@dataclass
class Bench:
    """The namespace in which all of it happens."""

    api: Api
    kubelets: Kubelets
    controllers: Mapping[str, Process]
    done: dict[tuple[str, str], asyncio.Event] = field(default_factory=dict)

    async def create(self, kind: Kind, name: str) -> None:
        """Create one object."""
        await self.api.ask("POST", kind.path(NAMESPACE), kind.body(name))

    async def alone(self, kind: Kind, name: str) -> float:
        """Seconds from the call to the pod."""
        begin = time.monotonic()
        await self.create(kind, name)
        return await self.kubelets.moment(NAMESPACE, name) - begin

    async def by_hand(self, name: str) -> float:
        """Seconds from the creation of an ImageBuild to a pod like the operator's, if the client creates both."""
        pod = self.kubelets.pods[NAMESPACE, f"{IMAGE_BUILD.plural}-0"]
        begin = time.monotonic()
        await self.api.ask("POST", IMAGE_BUILD.path(UNSEEN), IMAGE_BUILD.body(name))
        await self.api.ask("POST", POD.path(NAMESPACE), {"metadata": {"name": name}, "spec": pod["spec"]})
        return await self.kubelets.moment(NAMESPACE, name) - begin

    async def finish(self, kind: Kind, name: str) -> float:
        """Seconds from the end of the pod to the end of what it was made for."""
        event = self.done[kind.plural, name] = asyncio.Event()
        pod = self.kubelets.pods[NAMESPACE, name]
        begin = time.monotonic()
        await self.kubelets.report(pod, succeeded(pod))
        try:
            async with asyncio.timeout(15):
                await event.wait()
        except TimeoutError as error:
            raise TimeoutError(f"{kind.name} {name} is not finished 15 s after its pod") from error
        return time.monotonic() - begin

    async def burst(self, kind: Kind, prefix: str, count: int) -> tuple[float, float]:
        """Pods per second, and seconds of the controller's CPU for each."""
        names = [f"{prefix}-{number}" for number in range(count)]
        controller = self.controllers.get(kind.name)
        used, begin = controller.cpu() if controller else 0.0, time.monotonic()
        await at_once(names, lambda name: self.create(kind, name))
        last = max([await self.kubelets.moment(NAMESPACE, name, 300) for name in names])
        cpu = (controller.cpu() - used) / count if controller else 0.0
        return count / (last - begin), cpu

    async def follow(self, kind: Kind) -> None:
        """See which objects are finished."""
        async for _, body in self.api.watch(kind.path(NAMESPACE)):
            key = kind.plural, body["metadata"]["name"]
            if key in self.done and kind.finished(body):
                self.done.pop(key).set()

    async def clear(self) -> None:
        """Remove all objects and pods."""
        for kind in (IMAGE_BUILD, JOB, TASK_RUN, POD):
            await self.api.remove_all(kind.path(NAMESPACE))
        await self.api.remove_all(IMAGE_BUILD.path(UNSEEN))


async def measure(bench: Bench, sizes: Sizes, report: Report) -> None:
    """Take all samples."""
    alone: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
    finished: dict[str, list[float]] = {kind.name: [] for kind in KINDS if kind is not POD}
    for number in range(-3, sizes.alone):
        for kind in KINDS if number % 2 else KINDS[::-1]:
            name = f"{kind.plural}-{number + 3}"
            sample = await bench.alone(kind, name)
            if number >= 0:
                alone[kind.name].append(sample)
            if kind is IMAGE_BUILD and number >= 0:
                alone.setdefault(BY_HAND, []).append(await bench.by_hand(f"by-hand-{number}"))
            if kind is not POD and 0 <= number < sizes.finished:
                finished[kind.name].append(await bench.finish(kind, name))
    report.add(ALONE, alone)
    report.add(FINISHED, finished)
    await bench.clear()
    for size in sizes.bursts:
        rates: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
        cpu: dict[str, list[float]] = {kind.name: [] for kind in KINDS if kind is not POD}
        for number in range(sizes.repeats):
            for kind in KINDS if number % 2 else KINDS[::-1]:
                rate, spent = await bench.burst(kind, f"{kind.plural}-burst-{number}", size)
                rates[kind.name].append(rate)
                if kind is not POD:
                    cpu[kind.name].append(spent)
                await bench.clear()
        report.add(BURST, rates, "/s", size)
        report.add(CPU, cpu, "s", size)


async def run(functional: Functional, sizes: Sizes, report: Report, controllers: Mapping[str, Process]) -> None:
    """Follow what happens, and measure."""
    async with functional.api() as api, asyncio.TaskGroup() as group:
        kubelets = Kubelets(api, POD.path(NAMESPACE))
        bench = Bench(api, kubelets, controllers)
        await bench.clear()
        followers = [kubelets.run(), *(bench.follow(kind) for kind in KINDS if kind is not POD)]
        tasks = [group.create_task(each) for each in followers]
        await kubelets.watching.wait()
        await measure(bench, sizes, report)
        await bench.clear()
        for task in tasks:
            task.cancel()


@contextlib.contextmanager
def controllers(functional: Functional) -> Iterator[dict[str, Process]]:
    """Run all three."""
    module = SOURCES / "tekton"
    command = [str(toolchain.go()), "mod", "download", "-json", "github.com/tektoncd/pipeline"]
    asked = subprocess.run(command, cwd=module, stdout=subprocess.PIPE, check=True)
    config = Path(json.loads(asked.stdout)["Dir"]) / "config"
    with (
        functional.job_controller() as job,
        functional.tekton(artefact("tekton"), config) as tekton,
        functional.operator(NAMESPACE) as operator,
    ):
        yield {JOB.name: job, TASK_RUN.name: tekton, IMAGE_BUILD.name: Process(operator.pid)}


async def prepare(functional: Functional) -> None:
    """Make the namespaces."""
    async with functional.api() as api:
        await make_namespaces(api, [NAMESPACE, UNSEEN])


def main() -> None:
    """Measure and report."""
    told = options(__doc__)
    anchors = dict.fromkeys((ALONE, FINISHED, BURST, CPU), JOB.name)
    report = Report("dispatch", "bench/dispatch.py", anchors)
    with fresh() as functional, controllers(functional) as found:
        asyncio.run(prepare(functional))
        asyncio.run(run(functional, QUICK if told.quick else WHOLE, report, found))
    report.finish(told)


if __name__ == "__main__":
    main()
