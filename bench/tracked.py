"""What thousands of TrackedImages cost the operator: at rest, at a start, and until a commit has a build.

Runs in a functional test cluster (etcd and kube-apiserver) of its own:

    .venv/bin/python bench/tracked.py [--quick]

TrackedImages of Git repositories are made in 100 namespaces, each up to date, with the builds that it keeps. What their
watchers say is simulated: what a watcher itself costs, bench/watching.py measures.
"""

import asyncio
import contextlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from functional.node import Node, serve_node  # noqa: E402
from functional.operator_process import OperatorProcess  # noqa: E402
from imagebuild_operator.api.tracked import TrackedImage  # noqa: E402
from imagebuild_operator.decide.tracked import Cause, Inputs, Start, inputs_document, template_hash  # noqa: E402
from imagebuild_operator.pod.tracked import image_build  # noqa: E402
from kubernetes import config  # noqa: E402
from measure.report import Report, options  # noqa: E402
from parts.api import GROUP, MERGE, Api, ApiError, at_once  # noqa: E402
from parts.functional import Functional, Process, fresh, make_namespaces  # noqa: E402
from parts.kinds import IMAGE_BUILD, POD  # noqa: E402
from parts.kubelets import Kubelets, started  # noqa: E402

Json = dict[str, Any]
NAMESPACES = [f"bench-{number:02d}" for number in range(100)]
SIZES, QUICK = (1000, 10_000), (100,)
BUILDS = 3
COMMITS = 30
REST = 60.0
TRACKED = f"/apis/{GROUP}/namespaces/{{}}/trackedimages"
FIRST, NEXT = "1" * 40, "2" * 40
WATCHER = "imagebuild-watcher"


def place(number: int) -> tuple[str, str]:
    """Namespace and name of a TrackedImage."""
    return NAMESPACES[number % len(NAMESPACES)], f"web-{number}"


def tracked(name: str) -> Json:
    """A TrackedImage as a team would write it."""
    source = {"git": {"url": f"https://git.example.com/team/{name}", "revision": "main", "secretRef": {"name": "git"}}}
    return {
        "apiVersion": GROUP,
        "kind": "TrackedImage",
        "metadata": {"name": name},
        "spec": {
            "template": {"spec": {"source": source, "output": {"pushSecretRef": {"name": "push"}}}},
            "image": {"repositories": [f"registry.example.com/team/{name}"], "movingTags": ["latest"]},
            "triggers": {"source": {}, "baseImages": {}},
        },
    }


def line(name: str, commit: str = FIRST) -> str:
    """What a watcher says of it, as the kubelet keeps it."""
    said = {"name": name, "commit": commit, "tree": "", "images": {}, "at": now(), "problem": ""}
    return f"{now()} kaniko-shim: watch: {json.dumps(said)}\n"


def now() -> str:
    """RFC 3339."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


async def make(api: Api, number: int) -> None:
    """Make a TrackedImage with the builds that it keeps, the newest of which has its newest inputs."""
    namespace, name = place(number)
    body = await api.ask("POST", TRACKED.format(namespace), tracked(name))
    image = TrackedImage.of(body)
    inputs = Inputs(FIRST, template_hash(image.spec))
    document = inputs_document(Start(1, inputs, (Cause.INITIAL,)))
    for build in range(1, BUILDS + 1):
        manifest = image_build(image, build, FIRST, document, inputs.hash, cache=True)
        await api.ask("POST", IMAGE_BUILD.path(namespace), manifest)
        base = {"reference": "docker.io/library/debian:13", "digest": f"sha256:{1:064x}"}
        status = {
            "phase": "Succeeded",
            "completionTime": now(),
            "digest": f"sha256:{number:064x}",
            "baseImages": [base],
        }
        await api.ask("PATCH", f"{IMAGE_BUILD.path(namespace)}/{name}-{build}/status", {"status": status}, MERGE)


async def bind_watchers(api: Api, node: str) -> None:
    """Let the watchers run, or end."""
    pods = (await api.ask("GET", "/api/v1/pods?labelSelector=app.kubernetes.io/component=watcher"))["items"]
    for pod in pods:
        # The operator may replace it in this moment; then the next round does it.
        with contextlib.suppress(ApiError):
            await _bind(api, pod, node)


async def _bind(api: Api, pod: Json, node: str) -> None:
    path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
    if "deletionTimestamp" in pod["metadata"]:
        await api.ask("DELETE", f"{path}?gracePeriodSeconds=0")
    elif not pod["spec"].get("nodeName"):
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        names = {"name": pod["metadata"]["name"]}
        await api.ask(
            "POST", f"{path}/binding", {"apiVersion": "v1", "kind": "Binding", "metadata": names, "target": target}
        )
        await api.ask("PATCH", f"{path}/status", started(pod), MERGE)


async def until_watched(api: Api, node: Node, size: int) -> None:
    """Wait until the status of each says that somebody looks."""
    async with asyncio.timeout(1800):
        left = {place(number)[0] for number in range(size)}
        while left:
            await bind_watchers(api, node.name)
            # One at a time: lists of all of them would keep the API server busy.
            namespace = min(left)
            items = (await api.ask("GET", TRACKED.format(namespace)))["items"]
            conditions = [(item.get("status") or {}).get("conditions") or () for item in items]
            if all(any(each["type"] == "Watching" and each["status"] == "True" for each in of) for of in conditions):
                left.discard(namespace)
            else:
                await asyncio.sleep(1)


@contextmanager
def a_node(functional: Functional) -> Iterator[Node]:
    """A node whose kubelet has the logs of the watchers."""
    with (
        config.new_client_from_config(str(functional.kubeconfig)) as client,
        tempfile.TemporaryDirectory() as folder,
        serve_node(client, "bench", Path(folder)) as node,
    ):
        yield node


def requests(operator: OperatorProcess) -> Counter[str]:
    """How many requests of each verb the operator has sent."""
    found = Counter[str]()
    for (name, labels), value in operator.metrics().items():
        if name == "imagebuild_api_requests_total":
            found[dict(labels)["verb"]] += round(value)
    return found


def say(node: Node, size: int) -> None:
    """Have the watchers say everything."""
    logs: dict[str, str] = {}
    for number in range(size):
        namespace, name = place(number)
        logs[f"{namespace}/{WATCHER}"] = logs.get(f"{namespace}/{WATCHER}", "") + line(name)
    node.logs.update(logs)


async def first_pod(api: Api, begin: float) -> float:
    """Seconds until an ordinary build has a pod."""
    kubelets = Kubelets(api, POD.path(NAMESPACES[0]))
    task = asyncio.create_task(kubelets.run())
    moment = await kubelets.moment(NAMESPACES[0], "new", within=600)
    task.cancel()
    await api.ask("DELETE", f"{IMAGE_BUILD.path(NAMESPACES[0])}/new")
    return moment - begin


async def versions_of(api: Api) -> set[str]:
    """The versions of all TrackedImages."""
    lists = [await api.ask("GET", TRACKED.format(namespace)) for namespace in NAMESPACES]
    return {item["metadata"]["resourceVersion"] for each in lists for item in each["items"]}


async def commit(api: Api, node: Node, number: int) -> float:
    """Seconds from what a watcher says to the build."""
    namespace, name = place(number)
    begin = time.monotonic()
    node.logs[f"{namespace}/{WATCHER}"] = line(name, NEXT)
    return await next_build(api, number) - begin


async def next_build(api: Api, number: int) -> float:
    """When a TrackedImage had its next build."""
    namespace, name = place(number)
    async with asyncio.timeout(600):
        while True:
            try:
                await api.ask("GET", f"{IMAGE_BUILD.path(namespace)}/{name}-{BUILDS + 1}")
            except ApiError:
                await asyncio.sleep(0.05)
            else:
                return time.monotonic()


async def measure(functional: Functional, api: Api, node: Node, report: Report, size: int) -> None:
    """After one operator has brought all up to date, another one starts, rests, and hears of commits."""
    say(node, size)
    with functional.operator() as operator:
        await until_watched(api, node, size)
    await api.ask("POST", IMAGE_BUILD.path(NAMESPACES[0]), IMAGE_BUILD.body("new"))
    namespace, name = place(size - 1)
    change = {"spec": {"template": {"spec": {"target": "0"}}}}
    await api.ask("PATCH", f"{TRACKED.format(namespace)}/{name}", change, MERGE)
    begin = time.monotonic()
    with functional.operator() as operator:
        report.add("start to first pod", {"operator": [await first_pod(api, begin)]}, "s", size)
        report.add("start to a build that is due", {"operator": [await next_build(api, size - 1) - begin]}, "s", size)
        process = Process(operator.pid)
        node.logs.update({f"{namespace}/{WATCHER}": "" for namespace in NAMESPACES})
        await asyncio.sleep(6)
        used, asked, versions = process.cpu(), requests(operator).total(), await versions_of(api)
        await asyncio.sleep(REST)
        report.add("CPU time at rest", {"operator": [(process.cpu() - used) / REST]}, "s", size)
        report.add("requests at rest", {"operator": [(requests(operator).total() - asked) / REST]}, "/s", size)
        if versions != await versions_of(api):
            raise AssertionError("a status was written, though nothing had changed")
        report.add("memory", {"operator": [process.memory()]}, "MiB", size)
        numbers = random.Random(1).sample(range(size - 1), COMMITS)  # noqa: S311 - no secret
        delays = [await commit(api, node, number) for number in numbers]
        report.add("commit to build", {"operator": delays}, "s", size)


async def run(functional: Functional, report: Report, size: int) -> None:
    """Make so many TrackedImages, and measure."""
    async with functional.api() as api:
        await make_namespaces(api, NAMESPACES)
        await at_once(range(size), lambda number: make(api, number), 32)
        with a_node(functional) as node:
            await measure(functional, api, node, report, size)


def main() -> None:
    """Measure and report."""
    told = options(__doc__)
    context = {"namespaces": len(NAMESPACES), "builds of each": BUILDS}
    report = Report("tracked", "bench/tracked.py", context=context)
    for size in QUICK if told.quick else SIZES:
        with fresh() as functional:
            asyncio.run(run(functional, report, size))
    report.finish(told)


if __name__ == "__main__":
    main()
