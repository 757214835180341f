"""Ties the watches to the reconciler: what was seen goes to the store, whose build it concerns to the queue."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from imagebuild_operator.cluster import Cluster
from imagebuild_operator.gate import Gate
from imagebuild_operator.meters import Meters
from imagebuild_operator.metrics import (
    QUEUED,
    RECONCILE_DURATION,
    RECONCILES,
    RUNNING,
    WORK_QUEUE_DEPTH,
    WORK_QUEUE_LONGEST,
    Observation,
)
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

    def __init__(self, settings: OperatorSettings, meters: Meters) -> None:
        self._settings = settings
        self._meters = meters
        self._store = Store(settings.keep_pods, settings.history)
        self._queue: WorkQueue[Key] = WorkQueue(self._handle, WORKERS)
        self._gate = Gate(settings.limits)
        self._admitted_at = 0.0
        self._cluster: Cluster | None = None
        self._reconciler: Reconciler | None = None
        meters.sample(self._sample)

    async def start(self) -> None:
        """Connect, and begin to work on what has been seen."""
        self._cluster = await Cluster.connect(self._meters)
        self._reconciler = Reconciler(self._cluster, self._store, self._settings, self._gate, self._meters)
        self._queue.start()

    async def stop(self) -> None:
        """Stop at once; the next start takes up everything where it stands."""
        await self._queue.stop()
        if self._cluster is not None:
            await self._cluster.close()

    @property
    def has_started(self) -> bool:
        """Whether it works on what has been seen."""
        return self._reconciler is not None

    @property
    def stuck(self) -> float:
        """Seconds for which the work queue has not gone on."""
        return self._queue.stuck

    async def api_answers(self) -> bool:
        """Whether the API server can be asked for ImageBuilds."""
        return self._cluster is not None and await self._cluster.answers((*self._settings.namespaces, "")[0])

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
        again = await self._reconcile(self._reconciler, key)
        if self._gate.is_stale:
            self._admit()
        return again

    async def _reconcile(self, reconciler: Reconciler, key: Key) -> float | None:
        result = "error"
        start = time.perf_counter()
        try:
            again = await reconciler.reconcile(key)
            result = "success"
        finally:
            took = Observation(RECONCILE_DURATION, (), time.perf_counter() - start)
            self._meters.add([Observation(RECONCILES, (result,)), took])
        return again

    def _sample(self) -> Iterator[tuple[Observation, str]]:
        """How things stand, for those who read the metrics."""
        for metric in (QUEUED, RUNNING):
            yield Observation(metric, (), 0.0), ""
        for build, has_begun in self._store.unfinished():
            if has_begun or not build.is_suspended:
                yield Observation(RUNNING if has_begun else QUEUED), build.namespace
        yield Observation(WORK_QUEUE_DEPTH, (), self._queue.depth), ""
        yield Observation(WORK_QUEUE_LONGEST, (), self._queue.longest), ""

    def _admit(self) -> None:
        """Decide soon whose turn it is: at once, or with all that happens in a short while."""
        passed = asyncio.get_running_loop().time() - self._admitted_at
        self._queue.add(ADMIT, max(0.0, ADMIT_EVERY - passed), Rank.URGENT)
