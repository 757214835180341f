"""All that is around the operator in a plan: the builds' user, the nodes, the garbage collector, and an observer."""

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from http import HTTPStatus
from random import Random
from typing import Any, Final

import aiohttp
from chaos.history import DELETED, FINAL, OVER, Version
from chaos.search.kinds import KINDS, manifest, status, steps
from support.api_proxy import closed

Json = dict[str, Any]
NODE: Final = "node-of-the-search"
MERGE: Final = {"Content-Type": "application/merge-patch+json"}


class World:
    """Lives in one namespace, until every build has ended and is settled."""

    def __init__(self, server: str, tls: ssl.SSLContext, namespace: str, builds: tuple[str, ...], seed: str) -> None:
        """Prepare it.

        Args:
            server: The URL of the API server.
            tls: With the certificate of an administrator.
            namespace: Which is empty.
            builds: The names of its builds.
            seed: Of how long each step of a pod takes.
        """
        self._server = server
        self._tls = tls
        self._pods_url = f"/api/v1/namespaces/{namespace}/pods"
        self._tracked_url = f"/apis/imagebuild.dev/v1alpha1/namespaces/{namespace}/trackedimages"
        self._builds_url = f"/apis/imagebuild.dev/v1alpha1/namespaces/{namespace}/imagebuilds"
        self._builds = builds
        self._random = Random(seed)
        #: All versions of all pods and builds.
        self.pods: list[Version] = []
        self.builds: list[Version] = []
        self._last: dict[str, Version] = {}
        self._earlier: Counter[tuple[str, str]] = Counter()
        self._leaving: set[str] = set()
        self._settled = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def live(self, since: str, patience: float) -> bool:
        """Create the builds, play the nodes, and wait; whether everything came to its end.

        Args:
            since: The resourceVersion of the namespace.
            patience: Seconds without any change after which nothing more is waited for.
        """
        self._patience = patience
        connector = aiohttp.TCPConnector(limit=0, ssl=self._tls)
        try:
            async with aiohttp.ClientSession(self._server, connector=connector) as self._session:
                self._start(self._watch(self._pods_url, since, self._see_pod))
                self._start(self._watch(self._builds_url, since, self._see_build))
                try:
                    async with asyncio.timeout(patience) as self._timeout:
                        for name in self._builds:
                            url = self._tracked_url if KINDS[name].tracked else self._builds_url
                            await self._call("POST", url, manifest(name))
                        await self._settled.wait()
                except TimeoutError:
                    return False
                finally:
                    for task in self._tasks:
                        task.cancel()
                    # It aborts the connections in use before the tasks go on, which would close them with a farewell
                    # that waits for the API server's.
                    await self._session.close()
                    results = await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            await closed()
        for result in results:
            if isinstance(result, Exception):
                raise result
        return True

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.add(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """End all with a task that has failed; `live` raises its error."""
        if not task.cancelled() and task.exception():
            self._settled.set()

    async def _watch(self, url: str, since: str, see: Callable[[str, Json], None]) -> None:
        query = {"watch": "true", "resourceVersion": since}
        timeout = aiohttp.ClientTimeout(total=None)
        async with await self._insist(lambda: self._session.get(url, params=query, timeout=timeout)) as answer:
            assert answer.status == HTTPStatus.OK, await answer.text()
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    assert event["type"] != "ERROR", event
                    see(event["type"], event["object"])
                    self._timeout.reschedule(asyncio.get_running_loop().time() + self._patience)
                    if self._is_settled():
                        self._settled.set()

    def _see_build(self, change: str, body: Json) -> None:
        version = _version(change, body)
        self.builds.append(version)
        self._last[version.uid] = version
        if change == "ADDED" and body["spec"].get("suspend"):
            self._start(self._change(body["metadata"]["name"]))
        if change == DELETED:
            for pod in self._pods():
                if pod.body["metadata"]["ownerReferences"][0]["uid"] == version.uid:
                    self._start(self._collect(pod.name.rpartition("/")[2]))

    def _see_pod(self, change: str, body: Json) -> None:
        version = _version(change, body)
        self.pods.append(version)
        self._last[version.uid] = version
        if change == "ADDED":
            self._start(self._run(body))
        elif change != DELETED and body["metadata"].get("deletionTimestamp") and version.uid not in self._leaving:
            self._leaving.add(version.uid)
            self._start(self._leave(body))

    def _is_settled(self) -> bool:
        builds = {each.body["metadata"]["name"]: each for each in self._last.values() if "output" in each.body["spec"]}
        if builds.keys() - set(self._builds):
            # Somebody has created one more, which the lab reports.
            return True
        if builds.keys() < set(self._builds):
            return False
        for name, each in builds.items():
            if each.change != DELETED and (KINDS[name].expected.expires or each.phase not in FINAL):
                return False
        return all(each.phase == "Failed" for each in self._pods())

    def _pods(self) -> list[Version]:
        """The pods that are there."""
        return [each for each in self._last.values() if "containers" in each.body["spec"] and each.change != DELETED]

    async def _run(self, pod: Json) -> None:
        """Do what a node does with a pod: run it to its end."""
        name = pod["metadata"]["ownerReferences"][0]["name"]
        url = f"{self._pods_url}/{pod['metadata']['name']}"
        part = (name, pod["metadata"]["labels"].get("imagebuild.dev/platform", ""))
        earlier, self._earlier[part] = self._earlier[part], self._earlier[part] + 1
        # What is on a node is deleted with a grace period.
        if self._random.random() < 0.5:
            binding = {"metadata": {"name": pod["metadata"]["name"]}, "target": {"kind": "Node", "name": NODE}}
            await self._call("POST", f"{url}/binding", binding)
        for step in steps(name, pod, earlier):
            await self._pass_time()
            if pod["metadata"]["uid"] in self._leaving:
                return
            if not await self._call("PATCH", f"{url}/status", {"status": status(pod, step)}):
                return
            if step[0] == "Running" and KINDS[name].change and not KINDS[name].spec.get("suspend"):
                await self._change(name)

    async def _leave(self, pod: Json) -> None:
        """Do what a node does with a pod that is deleted: stop it, then say that it is gone."""
        await self._pass_time()
        url = f"{self._pods_url}/{pod['metadata']['name']}"
        if (pod.get("status") or {}).get("phase") not in OVER:
            await self._call("PATCH", f"{url}/status", {"status": {"phase": "Failed"}})
        await self._call("DELETE", url, {"gracePeriodSeconds": 0})

    async def _collect(self, pod: str) -> None:
        """Do what the garbage collector does with a pod whose build is gone."""
        await self._pass_time()
        await self._call("DELETE", f"{self._pods_url}/{pod}", {})

    async def _change(self, name: str) -> None:
        await self._pass_time()
        await self._call("PATCH", f"{self._builds_url}/{name}", {"spec": KINDS[name].change})

    async def _pass_time(self) -> None:
        """Let the time pass that a node or a user takes."""
        await asyncio.sleep(self._random.uniform(0.01, 0.15))

    async def _call(self, method: str, url: str, body: Json) -> bool:
        """Whether the object was there."""
        headers = MERGE if method == "PATCH" else None
        async with await self._insist(lambda: self._session.request(method, url, json=body, headers=headers)) as answer:
            if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
                return False
            assert answer.status < HTTPStatus.BAD_REQUEST, await answer.text()
            return True

    @staticmethod
    async def _insist(call: Callable[[], Awaitable[aiohttp.ClientResponse]]) -> aiohttp.ClientResponse:
        """Call again while the API server says that it is not ready, as after a change of our definitions."""
        while (answer := await call()).status == HTTPStatus.TOO_MANY_REQUESTS:
            answer.release()
            await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
        return answer


def _version(change: str, body: Json) -> Version:
    """A version at the revision of the database, which is the order of all changes."""
    revision = float(body["metadata"]["resourceVersion"])
    return Version(change, body, revision, revision)
