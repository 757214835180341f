"""A kubelet that needs no hand: it plays each build pod's part by the name of its ImageBuild."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from functional.kube import spec
from functional.kubelet import PUSHED, Kubelet, running, terminated
from kubernetes import client, watch
from support.watching import GROUP, PLURAL, VERSION, phase

Json = dict[str, Any]
Steps = Sequence[Json]

WELL: Final[Steps] = (
    {"phase": "Running", "build": running()},
    {"phase": "Running", "build": terminated(0, "{}"), "push": running()},
    {"phase": "Succeeded", "build": terminated(0, "{}"), "push": PUSHED},
)
UNAVAILABLE: Final[Steps] = (
    {"phase": "Running", "build": running()},
    {
        "phase": "Failed",
        "build": terminated(69, '{"reason": "RegistryUnavailable", "message": "It is away."}', "Error"),
    },
)
NEVER_ENDING: Final[Steps] = ({"phase": "Running", "build": running()},)

#: The name of what marks the end of a flight.
END: Final = "the-end"


def steps(pod: Json, earlier: int) -> Steps:
    """What becomes of a pod, by the first word of its build's name."""
    match build_of(pod).partition("-")[0]:
        case "endless":
            return NEVER_ENDING
        case "again":
            return WELL if earlier else UNAVAILABLE
        case _:
            return WELL


def build_of(pod: Json) -> str:
    """The name of a pod's ImageBuild."""
    name: str = pod["metadata"]["ownerReferences"][0]["name"]
    return name


class Autopilot:
    """Runs every pod of a namespace to its end; builds whose name begins with `endless` are then cancelled."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._namespace = namespace
        self._kubelet = Kubelet(api, namespace)
        self._core = client.CoreV1Api(api)
        self._custom = client.CustomObjectsApi(api)
        #: What the API server has shown: every version of every pod and ImageBuild, each with ADDED and so on.
        self.pods: list[tuple[str, Json]] = []
        self.builds: list[tuple[str, Json]] = []
        self._phases: dict[str, str | None] = {}
        self._changed = threading.Condition()

    @contextmanager
    def flying(self) -> Iterator["Autopilot"]:
        """Run pods for as long as the block lasts.

        Raises:
            AssertionError: a build did not follow its pod.
        """
        with ThreadPoolExecutor(250) as threads:
            done: list[Future[None]] = []
            followers = [threads.submit(self._follow_builds), threads.submit(self._follow_pods, threads, done)]
            try:
                yield self
            finally:
                self._mark_the_end()
                for follower in followers:
                    follower.result()
        for each in done:
            each.result()

    def wait(self, name: str, *phases: str, timeout: float = 60) -> None:
        """Wait until a build is in one of these phases; `Gone` is the last of all."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._phases.get(name) in phases, timeout), (
                f"{name} is {self._phases.get(name)} and not {phases} after {timeout} s"
            )

    def _mark_the_end(self) -> None:
        pod: Any = {"metadata": {"name": END}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        self._core.create_namespaced_pod(self._namespace, pod)
        build = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "ImageBuild", "metadata": {"name": END}}
        whole = {**build, "spec": spec(suspend=True)}
        self._custom.create_namespaced_custom_object(GROUP, VERSION, self._namespace, PLURAL, whole)

    def _follow_builds(self) -> None:
        arguments = GROUP, VERSION, self._namespace, PLURAL
        for kind, build in self._watch(self._custom.list_namespaced_custom_object, *arguments):
            self.builds.append((kind, build))
            with self._changed:
                self._phases[build["metadata"]["name"]] = "Gone" if kind == "DELETED" else phase(build)
                self._changed.notify_all()

    def _follow_pods(self, threads: ThreadPoolExecutor, done: list[Future[None]]) -> None:
        pods: Counter[str] = Counter()
        for kind, pod in self._watch(self._core.list_namespaced_pod, self._namespace):
            self.pods.append((kind, pod))
            if kind == "ADDED":
                done.append(threads.submit(self._run, pod, steps(pod, pods[build_of(pod)])))
                pods[build_of(pod)] += 1

    def _watch(self, call: Any, *arguments: str) -> Iterator[tuple[str, Json]]:  # noqa: ANN401 - a call of the client
        version = "0"
        while True:
            for event in watch.Watch().stream(call, *arguments, resource_version=version, timeout_seconds=60):
                body = event["raw_object"]
                version = body["metadata"]["resourceVersion"]
                if body["metadata"]["name"] == END:
                    return
                yield event["type"], body

    def _run(self, pod: Json, steps: Steps) -> None:
        name = build_of(pod)
        try:
            # A real pod takes longer to start. So each phase is written, whatever else the operator has to do first.
            self.wait(name, "Preparing")
            for step in steps:
                self._kubelet.report(pod, **step)
                if step["phase"] == "Running":
                    self.wait(name, "Pushing" if "push" in step else "Building")
            if steps is NEVER_ENDING:
                change = {"spec": {"cancel": True}}
                self._custom.patch_namespaced_custom_object(GROUP, VERSION, self._namespace, PLURAL, name, change)
        except client.ApiException as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
