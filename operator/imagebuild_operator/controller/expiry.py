"""The watch of finished builds with a TTL, where the main watch excludes finished builds."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from imagebuild_operator.api.errors import ClusterError
from imagebuild_operator.cache.keys import BuildKey, Sweep
from imagebuild_operator.cache.store import Store
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.decide.retention import EXPIRING
from imagebuild_operator.tasks.backoff import MAX_DELAY, Backoff

_logger: Final = logging.getLogger(__name__)

#: Seconds that a watch has to last for the next to begin without a delay. The API server ends one after some minutes.
STEADY: Final = 10.0


class ExpiryWatch:
    """Remembers the finished builds of one namespace that have a TTL, and has the namespace swept."""

    #: Which builds are watched, as a field selector and in words.
    selector = EXPIRING
    subject = "builds with a TTL"

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        namespace: str,
        silence: float,
        enqueue: Callable[[Sweep | BuildKey], None],
    ) -> None:
        """Prepare a watch.

        Args:
            cluster: The API server.
            store: The cache, which remembers the builds.
            namespace: The namespace to watch; empty for all.
            silence: Seconds without a byte, bookmarks included, after which the watch is started again.
            enqueue: Puts a key into the work queue.
        """
        self._cluster = cluster
        self._store = store
        self._namespace = namespace
        self._silence = silence
        self._enqueue = enqueue
        self._backoff = Backoff()
        self._since = ""
        self._progress = asyncio.get_running_loop().time()

    @property
    def age(self) -> float:
        """Seconds since the watch received anything."""
        return asyncio.get_running_loop().time() - self._progress

    async def run(self) -> None:
        """List and watch forever."""
        loop = asyncio.get_running_loop()
        while True:
            start, problem, retry_after = loop.time(), "it ended", 0.0
            try:
                await self._list_and_watch()
            except ClusterError as error:
                self._since = ""
                problem, retry_after = str(error), min(error.retry_after, MAX_DELAY)
            if loop.time() - start >= STEADY:
                self._backoff.reset()
                continue
            delay = max(retry_after, self._backoff.next())
            where = f" in namespace {self._namespace}" if self._namespace else ""
            _logger.warning("Watching %s%s failed: %s; retrying in %.1f s", self.subject, where, problem, delay)
            await asyncio.sleep(delay)

    async def _list_and_watch(self) -> None:
        self._since = self._since or await self._list()
        async for kind, body in self._cluster.builds.watch(self._namespace, self.selector, self._since, self._silence):
            self._since = body["metadata"]["resourceVersion"]
            self._take(kind, body)

    async def _list(self) -> str:
        """Remember all; the resourceVersion to watch from."""
        since = ""
        async for page in self._cluster.builds.pages(self._namespace, self.selector):
            since = page["metadata"]["resourceVersion"]
            for body in page.get("items") or ():
                self._take("ADDED", body)
        return since

    def _take(self, kind: str, body: dict[str, Any]) -> None:
        self._progress = asyncio.get_running_loop().time()
        if kind == "BOOKMARK":
            return
        metadata = body["metadata"]
        if kind == "DELETED":
            self._store.finished.drop(BuildKey(metadata["namespace"], metadata["name"]), metadata["uid"])
        else:
            self._store.put_finished(body)
            self._enqueue(Sweep(metadata["namespace"]))
