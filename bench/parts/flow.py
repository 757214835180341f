"""Many builds, from their creation to their end."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from functional.kube import spec
from parts.api import Api
from parts.functional import Functional
from parts.kinds import IMAGE_BUILD
from parts.kubelets import Kubelets

Key = tuple[str, str]
#: What the operator reads and writes.
RESOURCES: Final = ("imagebuilds", "imagebuilddefaults", "clusterimagebuilddefaults", "pods", "events")
PATH: Final = f"/apis/{IMAGE_BUILD.group}/{IMAGE_BUILD.plural}"


class Flow:
    """Builds that are created, run by simulated kubelets, and finish.

    Attributes:
        created: When the creation of each build was sent, by namespace and name.
        finished: When a watch has shown that it is finished.
        failed: The builds that have not succeeded.
    """

    def __init__(self, api: Api, kubelets: Kubelets) -> None:
        self.api, self.kubelets = api, kubelets
        self.created: dict[Key, float] = {}
        self.finished: dict[Key, float] = {}
        self.failed: list[Key] = []
        self.watching = asyncio.Event()
        self._changed = asyncio.Condition()

    async def create(self, key: Key, **fields: object) -> None:
        """Create a build."""
        namespace, name = key
        body = {**IMAGE_BUILD.body(name), "spec": spec(**fields)}
        self.created[key] = time.monotonic()
        await self.api.ask("POST", IMAGE_BUILD.path(namespace), body)

    async def follow(self) -> None:
        """See which builds are finished, until the task is cancelled."""
        async for kind, body in self.api.watch(PATH, self.watching):
            key = body["metadata"]["namespace"], body["metadata"]["name"]
            if kind == "DELETED" or key in self.finished or not IMAGE_BUILD.finished(body):
                continue
            async with self._changed:
                self.finished[key] = time.monotonic()
                if body["status"]["phase"] != "Succeeded":
                    self.failed.append(key)
                self._changed.notify_all()

    async def count(self, number: int, within: float) -> None:
        """Wait until so many builds are finished.

        Raises:
            RuntimeError: they are not in that time, or not all have succeeded.
        """
        try:
            async with asyncio.timeout(within), self._changed:
                await self._changed.wait_for(lambda: len(self.finished) >= number)
        except TimeoutError as error:
            raise RuntimeError(f"{len(self.finished)} of {number} builds are finished after {within} s") from error
        if self.failed:
            raise RuntimeError(f"{len(self.failed)} builds have not succeeded: {self.failed[:5]}")

    def to_pod(self) -> list[float]:
        """Seconds from the creation of each build to its pod."""
        return [self.kubelets.seen[key] - moment for key, moment in self.created.items()]

    def to_finish(self) -> list[float]:
        """Seconds from the end of each build's pod to the end of the build."""
        return [moment - self.kubelets.ended[key] for key, moment in self.finished.items()]


@asynccontextmanager
async def flowing(functional: Functional, seconds: Callable[[], float]) -> AsyncIterator[Flow]:
    """Let builds flow; `seconds` says how long the next pod runs."""
    async with functional.api() as api, asyncio.TaskGroup() as group:
        kubelets = Kubelets(api, "/api/v1/pods", seconds)
        flow = Flow(api, kubelets)
        tasks = [group.create_task(each) for each in (kubelets.run(), flow.follow())]
        await kubelets.watching.wait()
        await flow.watching.wait()
        yield flow
        for task in tasks:
            task.cancel()


async def requests(api: Api) -> dict[tuple[str, str], float]:
    """Requests to the API server about builds and what belongs to them, by verb and resource, without watches."""
    from support.metrics import read_samples  # noqa: PLC0415 - only those who count need it

    page = await api.text("GET", "/metrics")
    wanted = "\n".join(line for line in page.splitlines() if "apiserver_request_total" in line)
    found: dict[tuple[str, str], float] = {}
    for (name, labels), value in read_samples(wanted + "\n").items():
        of: dict[str, Any] = dict(labels)
        if name != "apiserver_request_total" or of["verb"] in {"WATCH", "CONNECT"}:
            continue
        if of["resource"] in RESOURCES:
            path = "/".join(filter(None, (of["resource"], of["subresource"])))
            found[of["verb"], path] = found.get((of["verb"], path), 0) + value
    return found
