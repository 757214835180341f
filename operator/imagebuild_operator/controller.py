"""Ties the watches to the reconciler: what was seen goes to the store, whose build it concerns to the queue."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from imagebuild_operator.cluster import Cluster
from imagebuild_operator.gate import Gate
from imagebuild_operator.reconcile import Reconciler
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.store import SWEEP, Key, Store
from imagebuild_operator.workqueue import Rank, WorkQueue

#: Builds reconciled at once; they mostly wait for the API server.
WORKERS: Final = 16


#: Seconds between two decisions on whose turn it is; each looks at all that wait.
ADMIT_EVERY: Final = 0.1
#: The key in the queue that stands for the decision.
ADMIT: Final[Key] = ("", "")


class Controller:
    """The operator without its framework."""

    def __init__(self, settings: OperatorSettings) -> None:
        self._settings = settings
        self._store = Store(settings.keep_pods, settings.history)
        self._queue: WorkQueue[Key] = WorkQueue(self._handle, WORKERS)
        self._gate = Gate(settings.limits)
        self._admitted_at = 0.0
        self._cluster: Cluster | None = None
        self._reconciler: Reconciler | None = None
        #: How often a build has been reconciled since the start.
        self.reconciled = 0

    async def start(self) -> None:
        """Connect, and begin to work on what has been seen."""
        self._cluster = await Cluster.connect()
        self._reconciler = Reconciler(self._cluster, self._store, self._settings, self._gate)
        self._queue.start()

    async def stop(self) -> None:
        """Stop at once; the next start takes up everything where it stands."""
        await self._queue.stop()
        if self._cluster is not None:
            await self._cluster.close()

    def build_seen(self, body: Mapping[str, Any], *, is_gone: bool) -> None:
        """Take note of an ImageBuild."""
        rank = Rank.NORMAL
        if self._gate.concerns(body.get("spec") or {}):
            self._admit()
            if "startTime" not in (body.get("status") or {}):
                # Until it is let in, there is only something to tell.
                rank = Rank.IDLE
        if is_gone:
            self._store.drop_build(body["metadata"]["namespace"], body["metadata"]["name"])
            return
        for key in self._store.put_build(body):
            self._queue.add(key, rank=rank)

    def pod_seen(self, body: Mapping[str, Any], *, is_gone: bool) -> None:
        """Take note of a build pod."""
        key = self._store.drop_pod(body) if is_gone else self._store.put_pod(body)
        if key is not None:
            self._queue.add(key)

    async def _handle(self, key: Key) -> float | None:
        if self._reconciler is None:
            return None
        if key == ADMIT:
            decision = await self._reconciler.admit()
            for concerned in decision.act:
                self._queue.add(concerned, rank=Rank.URGENT)
            for concerned in decision.tell:
                self._queue.add(concerned, rank=Rank.IDLE)
            self._admitted_at = asyncio.get_running_loop().time()
            if decision.again is not None:
                self._queue.add(ADMIT, decision.again, Rank.URGENT)
            return None
        if key[1] == SWEEP:
            return await self._reconciler.sweep(key[0])
        self.reconciled += 1
        again = await self._reconciler.reconcile(key)
        if self._gate.is_stale:
            self._admit()
        return again

    def _admit(self) -> None:
        """Decide soon whose turn it is: at once, or with all that happens in a short while."""
        passed = asyncio.get_running_loop().time() - self._admitted_at
        self._queue.add(ADMIT, max(0.0, ADMIT_EVERY - passed), Rank.URGENT)
