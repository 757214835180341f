"""Ties the watches to the reconciler: what was seen goes to the store, whose build it concerns to the queue."""

from collections.abc import Mapping
from typing import Any, Final

from imagebuild_operator.cluster import Cluster
from imagebuild_operator.reconcile import Reconciler
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.store import SWEEP, Key, Store
from imagebuild_operator.workqueue import WorkQueue

#: Builds reconciled at once; they mostly wait for the API server.
WORKERS: Final = 16


class Controller:
    """The operator without its framework."""

    def __init__(self, settings: OperatorSettings) -> None:
        self._settings = settings
        self._store = Store(settings.keep_pods, settings.history)
        self._queue: WorkQueue[Key] = WorkQueue(self._handle, WORKERS)
        self._cluster: Cluster | None = None
        self._reconciler: Reconciler | None = None
        #: How often a build has been reconciled since the start.
        self.reconciled = 0

    async def start(self) -> None:
        """Connect, and begin to work on what has been seen."""
        self._cluster = await Cluster.connect()
        self._reconciler = Reconciler(self._cluster, self._store, self._settings)
        self._queue.start()

    async def stop(self) -> None:
        """Stop at once; the next start takes up everything where it stands."""
        await self._queue.stop()
        if self._cluster is not None:
            await self._cluster.close()

    def build_seen(self, body: Mapping[str, Any], *, is_gone: bool) -> None:
        """Take note of an ImageBuild."""
        if is_gone:
            self._store.drop_build(body["metadata"]["namespace"], body["metadata"]["name"])
            return
        for key in self._store.put_build(body):
            self._queue.add(key)

    def pod_seen(self, body: Mapping[str, Any], *, is_gone: bool) -> None:
        """Take note of a build pod."""
        key = self._store.drop_pod(body) if is_gone else self._store.put_pod(body)
        if key is not None:
            self._queue.add(key)

    async def _handle(self, key: Key) -> float | None:
        if self._reconciler is None:
            return None
        if key[1] == SWEEP:
            return await self._reconciler.sweep(key[0])
        self.reconciled += 1
        return await self._reconciler.reconcile(key)
