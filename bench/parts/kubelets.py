"""Simulated kubelets: they let each pod run for a while and succeed, for next to no CPU time of their own."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from functional.kubelet import PUSHED, running, terminated
from parts.api import MERGE, NOT_FOUND, Api, ApiError

Json = dict[str, Any]
ENDED: Final = terminated(0, "{}")
TASK_ENDED: Final = terminated(0, "[]")


def started(pod: Json) -> Json:
    """The status of a pod that runs."""
    return _status(pod, "Running", running())


def succeeded(pod: Json) -> Json:
    """The status of a pod whose containers have ended well."""
    return _status(pod, "Succeeded", ENDED)


def _status(pod: Json, phase: str, state: Json) -> Json:
    spec = pod["spec"]
    status: Json = {"phase": phase, "startTime": _now()}
    for field, containers in (
        ("initContainerStatuses", spec.get("initContainers", [])),
        ("containerStatuses", spec["containers"]),
    ):
        status[field] = [{"name": each["name"], "state": _state(each["name"], state), **_REST} for each in containers]
    return {"status": status}


_REST: Final = {"ready": False, "restartCount": 0, "image": "i", "imageID": ""}


def _state(container: str, state: Json) -> Json:
    if state is not ENDED:
        return state
    return PUSHED if container == "push" else TASK_ENDED if container.startswith("step-") else ENDED


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Kubelets:
    """All kubelets of a cluster.

    Attributes:
        seen: When a watch has shown the first pod of each owner, by namespace and name.
        ended: When each pod was made to end, by the same.
        requests: How many requests the kubelets have sent.
        running: How many pods run.
        most: How many have run at once.
    """

    def __init__(self, api: Api, path: str, seconds: Callable[[], float] | None = None) -> None:
        """Prepare them.

        Args:
            api: The API server.
            path: The pods to follow.
            seconds: How long the next pod runs; None: pods are only looked at.
        """
        self._api, self._path, self._seconds = api, path, seconds
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self.seen: dict[tuple[str, str], float] = {}
        self.pods: dict[tuple[str, str], Json] = {}
        self.ended: dict[tuple[str, str], float] = {}
        self.requests = self.running = self.most = 0
        self.watching = asyncio.Event()

    async def run(self) -> None:
        """Follow pods until the task is cancelled."""
        async for kind, pod in self._api.watch(self._path, self.watching):
            if kind != "ADDED":
                continue
            moment, key = time.monotonic(), owner(pod)
            async with self._changed:
                self.seen.setdefault(key, moment)
                self.pods[key] = pod
                self._changed.notify_all()
            if self._seconds:
                task = asyncio.create_task(self._play(key, pod, self._seconds()))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _play(self, key: tuple[str, str], pod: Json, seconds: float) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        if seconds:
            await self.report(pod, started(pod))
            await asyncio.sleep(seconds)
        self.ended[key] = time.monotonic()
        await self.report(pod, succeeded(pod))
        self.running -= 1
        del self.pods[key]

    async def report(self, pod: Json, status: Json) -> None:
        """Write the status of a pod, if it is still there."""
        self.requests += 1
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        try:
            await self._api.ask("PATCH", path, status, MERGE)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise

    async def moment(self, namespace: str, name: str, within: float = 60) -> float:
        """Wait for the pod of an owner; when it was seen."""
        key = namespace, name
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: key in self.seen)
        return self.seen[key]

    async def count(self, number: int, within: float) -> None:
        """Wait until so many owners have had a pod."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: len(self.seen) >= number)


def owner(pod: Json) -> tuple[str, str]:
    """Namespace and name of what a pod was made for; the pod's own where nothing owns it."""
    metadata = pod["metadata"]
    owners = metadata.get("ownerReferences")
    return metadata["namespace"], owners[0]["name"] if owners else metadata["name"]
