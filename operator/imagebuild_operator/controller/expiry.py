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

_logger: Final = logging.getLogger(__name__)

#: Seconds until the builds that expire are listed again after an error.
RELIST: Final = 2.0


class ExpiryWatch:
    """Remembers the finished builds that have a TTL, and has their namespaces swept."""

    def __init__(self, cluster: Cluster, store: Store, enqueue: Callable[[Sweep], None]) -> None:
        self._cluster = cluster
        self._store = store
        self._enqueue = enqueue

    async def run(self, namespace: str) -> None:
        """List and watch a namespace, or all of them if it is empty, for ever."""
        since = ""
        while True:
            try:
                since = since or await self._list(namespace)
                async for kind, body in self._cluster.builds.watch(namespace, EXPIRING, since):
                    since = body["metadata"]["resourceVersion"]
                    self._take(kind, body)
            except ClusterError as error:
                _logger.debug("The watch of builds with a TTL failed; listing again in %s s: %s", RELIST, error)
                since = ""
                await asyncio.sleep(RELIST)

    async def _list(self, namespace: str) -> str:
        """Remember all; the resourceVersion to watch from."""
        since = ""
        async for page in self._cluster.builds.pages(namespace, EXPIRING):
            since = page["metadata"]["resourceVersion"]
            for body in page.get("items") or ():
                self._take("ADDED", body)
        return since

    def _take(self, kind: str, body: dict[str, Any]) -> None:
        if kind == "BOOKMARK":
            return
        metadata = body["metadata"]
        if kind == "DELETED":
            self._store.finished.drop(BuildKey(metadata["namespace"], metadata["name"]), metadata["uid"])
        else:
            self._store.put_finished(body)
            self._enqueue(Sweep(metadata["namespace"]))
