"""The time in which an operator acts: from the moment that it may until it may no longer.

All that is remembered between two decisions, except for what the watches have shown, begins and ends with it.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from imagebuild_operator.api.errors import ClusterError, StandbyError
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.controller.gate import Gate
from imagebuild_operator.controller.reconcile import Reconciler
from imagebuild_operator.controller.store import SWEEP, Key, Store
from imagebuild_operator.controller.workqueue import Rank, TryAgainError, WorkQueue
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.telemetry.logging import about
from imagebuild_operator.telemetry.metrics import RECONCILE_DURATION, RECONCILES, Observation
from imagebuild_operator.telemetry.prometheus import Meters
from imagebuild_operator.telemetry.recorder import Written

_logger: Final = logging.getLogger(__name__)

#: Builds reconciled at once; they mostly wait for the API server.
WORKERS: Final = 16
#: Seconds between two decisions on whose turn it is; each looks at all that wait.
ADMIT_EVERY: Final = 0.1
#: The key in the queue that stands for the decision.
ADMIT: Final[Key] = ("", "")
#: Seconds between two times that everything unfinished is learnt anew, for what the watches may have missed.
LEARN_EVERY: Final = 600.0
#: The key that stands for learning of everything anew.
LEARN: Final[Key] = ("", "*")


class Term:
    """Works on what has been seen, until it is stopped."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        settings: OperatorSettings,
        meters: Meters,
        written: Written,
        fields: str = "",
    ) -> None:
        self._store = store
        self._meters = meters
        self._gate = Gate(settings.limits, store.max_running)
        self._reconciler = Reconciler(cluster, store, settings, self._gate, written, fields, self._to_sweep)
        self._settings = settings
        self._fields = fields
        self._tasks: list[asyncio.Task[None]] = []
        self.queue: WorkQueue[Key] = WorkQueue(self._handle, WORKERS, self._failed)
        self._knows_all = False
        self._admitted_at = 0.0

    def start(self) -> None:
        """Begin; nothing is done before everything is known that the API server holds."""
        self.queue.add(LEARN, rank=Rank.URGENT)
        self.queue.start()
        if self._fields:
            namespaces = self._settings.namespaces or ("",)
            self._tasks = [asyncio.create_task(self._reconciler.follow_expiring(name)) for name in namespaces]

    async def stop(self) -> None:
        """Stop at once; whoever acts next takes up everything where it stands."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.queue.stop()

    def seen(self, keys: Iterable[Key], spec: Mapping[str, Any] | None = None) -> None:
        """Work on what the watches have shown.

        Args:
            keys: What there may be something to do about.
            spec: Of the build that was seen, empty for defaults: both may change whose turn it is.
        """
        if not self._knows_all:
            return
        if spec is not None and self._gate.concerns(spec):
            self._admit()
        for key in keys:
            self.queue.add(key, rank=self._rank(key))

    def _to_sweep(self, namespace: str) -> None:
        self.queue.add((namespace, SWEEP))

    def _rank(self, key: Key) -> Rank:
        """Until a build is let in, there is only something to tell."""
        build = self._store.build(key)
        waits = build is not None and build.started is None and self._gate.concerns(build.spec)
        return Rank.IDLE if waits else Rank.NORMAL

    async def _handle(self, key: Key) -> float | None:
        try:
            return await self._do(key)
        except StandbyError:
            # The term is over, and is about to be stopped.
            return None
        except ClusterError as error:
            raise TryAgainError(f"the API server: {error.status or 'no answer'}: {error}", error.retry_after) from error

    async def _do(self, key: Key) -> float | None:
        if key == LEARN:
            await self._learn()
            return LEARN_EVERY if self._fields else None
        if key == ADMIT:
            self._decide()
            return None
        if key[1] == SWEEP:
            return await self._reconciler.sweep(key[0])
        again = await self._reconcile(key)
        if self._gate.is_stale:
            self._admit()
        return again

    def _failed(self, key: Key, what: str, error: Exception) -> None:
        """Log that a key could not be handled."""
        build = self._store.build(key)
        subjects = {ADMIT: "Whose turn it is", LEARN: "What there is", (key[0], SWEEP): "Who has to go"}
        subject = subjects.get(key, "The build")
        extra = about(key[0], "" if key in subjects else key[1])
        if build is not None:
            extra = about(*key, uid=build.uid, attempt=build.attempt)
        if isinstance(error, TryAgainError):
            _logger.warning("%s %s: %s", subject, what, error, extra=extra)
        else:
            _logger.error("%s %s", subject, what, exc_info=error, extra=extra)

    async def _reconcile(self, key: Key) -> float | None:
        result = "error"
        start = time.perf_counter()
        try:
            again = await self._reconciler.reconcile(key)
            result = "success"
        finally:
            took = Observation(RECONCILE_DURATION, (), time.perf_counter() - start)
            self._meters.add([Observation(RECONCILES, (result,)), took])
        return again

    async def _learn(self) -> None:
        await self._reconciler.learn()
        if self._fields and not self._knows_all:
            self._store.unlist_retained()
        self._knows_all = True
        self._admit()
        for key in self._store.known():
            self.queue.add(key, rank=self._rank(key))

    def _decide(self) -> None:
        decision = self._gate.decide(self._store.unfinished(), self._reconciler.now())
        for concerned in decision.act:
            self.queue.add(concerned, rank=Rank.URGENT)
        for concerned in decision.tell:
            self.queue.add(concerned, rank=Rank.IDLE)
        self._admitted_at = asyncio.get_running_loop().time()
        if decision.again is not None:
            self.queue.add(ADMIT, decision.again, Rank.URGENT)

    def _admit(self) -> None:
        """Decide soon whose turn it is: at once, or with all that happens in a short while."""
        passed = asyncio.get_running_loop().time() - self._admitted_at
        self.queue.add(ADMIT, max(0.0, ADMIT_EVERY - passed), Rank.URGENT)
