"""A trivial build, from the request that creates it to its end, in the test cluster with its real kubelet.

Needs root and the test cluster (`make cluster-up images`), and installs this tree's chart in it:

    .venv/bin/python bench/trivial.py [--quick]

The operator checks the push of the first build of a repository, and not of those after it. Beside it: the pod that the
operator makes for this build, created by hand (so without an operator); that pod with containers that end at once (so
the kubelet's own time); the same build with engine Kaniko; and a BuildKit daemon that is running already. All build the
same Dockerfile without a cache, and push to the same registry.
"""

import asyncio
import copy
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("tests", "tools", "shim")]

from environment import ClusterRegistry, cluster_registry, cluster_variables, with_programs  # noqa: E402
from functional.kube import spec  # noqa: E402
from measure.report import Report, options  # noqa: E402
from parts.api import Api, connected  # noqa: E402
from parts.functional import make_namespaces  # noqa: E402
from parts.kinds import IMAGE_BUILD, POD  # noqa: E402
from truth import buildkit  # noqa: E402
from truth.subject import Subject  # noqa: E402

Json = dict[str, Any]
NAMESPACE = f"bench-{uuid.uuid4().hex[:10]}"
DOCKERFILE = "FROM busybox\nRUN echo hello > /hello\n"
AT_ONCE = ["/kaniko/.Shim/bin/crane", "version"]
FIRST, AGAIN, KANIKO = "ImageBuild, a repository's first", "ImageBuild", "ImageBuild with Kaniko"
SAME, IDLE, KIT = "the same pod by hand", "the same pod, idle", "BuildKit, running"
MEASURE = "request to success"


@dataclass
class Bench:
    """The namespace in which it happens.

    Attributes:
        api: The API server.
        image: Name of the image to push, without a tag.
        host: What this machine calls the registry.
        kit: The BuildKit daemon.
        folder: A directory with the Dockerfile.
        pod: The pod that the operator has made last.
    """

    api: Api
    image: str
    host: str
    kit: buildkit.BuildKit
    folder: Path
    pod: Json = field(default_factory=dict)
    number: int = 0

    def name(self, word: str) -> str:
        """A name that nothing has had."""
        self.number += 1
        return f"{word}-{self.number}"

    async def first(self) -> float:
        """By the operator, into a repository that nothing has been pushed to."""
        return await self._build(self.name("first"), f"/{self.number}")

    async def again(self) -> float:
        """By the operator, into a repository that builds have been pushed to."""
        return await self._build(self.name("build"))

    async def kaniko(self) -> float:
        """By the operator, with the other engine."""
        return await self._build(self.name("kaniko"), engine="Kaniko")

    async def _build(self, name: str, path: str = "", **more: str) -> float:
        follow = asyncio.create_task(self._find_pod(name))
        source, output = {"inline": {"files": {"Dockerfile": DOCKERFILE}}}, {"images": [f"{self.image}{path}:{name}"]}
        fields = spec(source=source, output=output, **more)
        body = {**IMAGE_BUILD.body(name), "spec": fields}
        begin = time.monotonic()
        await self.api.ask("POST", IMAGE_BUILD.path(NAMESPACE), body)
        await self._finished(IMAGE_BUILD.path(NAMESPACE), name, IMAGE_BUILD.finished, "Failed")
        seconds = time.monotonic() - begin
        self.pod = await follow
        return seconds

    async def same(self) -> float:
        """The same pod, by hand."""
        return await self._run(self._copy("same"))

    async def idle(self) -> float:
        """The same pod, with containers that end at once."""
        pod = self._copy("idle")
        for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
            container.pop("args", None)
            container["command"] = AT_ONCE
        return await self._run(pod)

    async def buildkit(self) -> float:
        """By BuildKit."""
        subject = Subject("trivial", self.folder, self.folder, self.folder / "Dockerfile")
        begin = time.monotonic()
        built = await asyncio.to_thread(self.kit.build, subject, self.name(f"{self.host}/bench/trivial:kit"))
        if not built.succeeded:
            raise RuntimeError(built.log)
        return time.monotonic() - begin

    def _copy(self, word: str) -> Json:
        """The pod of the last build, which nobody takes for a build's."""
        body = copy.deepcopy(self.pod["spec"])
        for key in ("nodeName", "tolerations", "priority", "preemptionPolicy", "enableServiceLinks"):
            body.pop(key, None)
        return {"metadata": {"name": self.name(word)}, "spec": body}

    async def _run(self, pod: Json) -> float:
        path, name = POD.path(NAMESPACE), pod["metadata"]["name"]
        begin = time.monotonic()
        await self.api.ask("POST", path, pod)
        await self._finished(path, name, POD.finished, "Failed")
        seconds = time.monotonic() - begin
        await self.api.ask("DELETE", f"{path}/{name}")
        return seconds

    async def _finished(self, path: str, name: str, done: Callable[[Json], bool], failed: str) -> None:
        async with asyncio.timeout(300):
            async for _, body in self.api.watch(f"{path}?fieldSelector=metadata.name%3D{name}"):
                if body.get("status", {}).get("phase") == failed:
                    raise RuntimeError(f"{name} has failed: {body['status']}")
                if done(body):
                    return

    async def _find_pod(self, name: str) -> Json:
        async for _, pod in self.api.watch(f"{POD.path(NAMESPACE)}?labelSelector=imagebuild.dev%2Fbuild%3D{name}"):
            return pod
        raise RuntimeError("the watch has ended")


async def run(variables: dict[str, str], rounds: int, report: Report) -> None:
    """Take all samples, the cases in turn."""
    registry = cluster_registry(variables)
    async with connected(Path(variables["KUBECONFIG"])) as api:
        await make_namespaces(api, [NAMESPACE])
        try:
            samples = await take(api, registry, rounds)
        finally:
            await api.ask("DELETE", f"/api/v1/namespaces/{NAMESPACE}")
    report.add(MEASURE, samples)


async def take(api: Api, registry: ClusterRegistry, rounds: int) -> dict[str, list[float]]:
    """Samples of each case, after one round that warms up."""
    host = registry.address.partition("/")[0]
    with buildkit.running(host) as kit, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Dockerfile").write_text(DOCKERFILE)
        bench = Bench(api, f"{registry.name}/bench/trivial", host, kit, Path(folder))
        cases = {
            KANIKO: bench.kaniko,
            FIRST: bench.first,
            # The two after it are made of its pod.
            AGAIN: bench.again,
            SAME: bench.same,
            IDLE: bench.idle,
            KIT: bench.buildkit,
        }
        samples: dict[str, list[float]] = {name: [] for name in cases}
        for number in range(rounds + 1):
            for name, case in cases.items():
                seconds = await case()
                if number:
                    samples[name].append(seconds)
    return samples


def main() -> None:
    """Measure and report."""
    told = options(__doc__)
    variables = cluster_variables()
    subprocess.run([sys.executable, "tools/install.py"], cwd=ROOT, env=with_programs(variables), check=True)
    report = Report("trivial", "bench/trivial.py", {MEASURE: SAME})
    asyncio.run(run(variables, 3 if told.quick else 20, report))
    report.finish(told)


if __name__ == "__main__":
    main()
