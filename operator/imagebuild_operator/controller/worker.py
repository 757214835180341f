"""The work of the leader: reconcile, sweep, admit and resync, each when its key comes out of the work queue.

All that is remembered between two decisions, except for the cache, begins and ends with the leadership.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.api.errors import ClusterError, ConflictError
from imagebuild_operator.cache.keys import Admit, DefaultsKey, Key, Resync, Sweep, TrackedKey, WatcherKey
from imagebuild_operator.cache.store import Store
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.controller.defaults_reporter import DefaultsReporter
from imagebuild_operator.controller.reconcile import Reconciler
from imagebuild_operator.controller.resync import relist
from imagebuild_operator.controller.sweep import Sweeper
from imagebuild_operator.controller.tracked import Tracker
from imagebuild_operator.decide.gate import Gate
from imagebuild_operator.settings import OperatorSettings
from imagebuild_operator.tasks.workqueue import Rank, RequeueError, WorkQueue
from imagebuild_operator.telemetry.logging import about
from imagebuild_operator.telemetry.metrics import RECONCILE_DURATION, RECONCILES, Observation
from imagebuild_operator.telemetry.prometheus import Metrics
from imagebuild_operator.telemetry.recorder import StatusRecorder

_logger: Final = logging.getLogger(__name__)

#: Builds reconciled at once; they mostly wait for the API server.
MAX_CONCURRENT_RECONCILES: Final = 16
#: Seconds between two decisions on whose turn it is; each looks at all that wait.
ADMISSION_INTERVAL: Final = 0.1
#: The part of the time that decisions may take: with tens of thousands of waiting builds, they come less often.
ADMISSION_SHARE: Final = 0.1
#: Seconds between two resyncs.
RESYNC_INTERVAL: Final = 600.0
#: The same while some ImageBuildDefaults cannot be read.
UNREADABLE_INTERVAL: Final = 60.0


class Worker:
    """Works until it is stopped."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        settings: OperatorSettings,
        metrics: Metrics,
        written: StatusRecorder,
    ) -> None:
        """Set it up.

        Args:
            cluster: The API server.
            store: The cache.
            settings: The operator's settings.
            metrics: Counts and times what is done.
            written: Called with each status that is written.
        """
        self._cluster = cluster
        self._store = store
        self._metrics = metrics
        self._settings = settings
        self._gate = Gate(settings.limits, store.max_running, lambda namespace: store.defaults(namespace).problem)
        self._reconciler = Reconciler(cluster, store, settings, self._gate, written, self._enqueue, _utc_now)
        self._sweeper = Sweeper(cluster, store, _utc_now)
        self._defaults_reporter = DefaultsReporter(cluster, store, _utc_now)
        self._tracker = Tracker(cluster, store, settings, self._enqueue)
        self.queue: WorkQueue[Key] = WorkQueue(self._handle, MAX_CONCURRENT_RECONCILES, self._log_failure, self._rank)
        self._is_synced = False
        self._admitted_at = 0.0
        self._pause = ADMISSION_INTERVAL

    def start(self) -> None:
        """Start with a resync; nothing else is done before it."""
        self.queue.add(Resync(), rank=Rank.URGENT)
        self.queue.start()

    async def stop(self) -> None:
        """Stop at once; the next leader continues where things stand."""
        await self.queue.stop()
        await self._reconciler.stop()

    def enqueue(
        self,
        keys: Iterable[BuildKey | Sweep | DefaultsKey | TrackedKey | WatcherKey],
        namespace: str,
        spec: Mapping[str, Any] | None = None,
    ) -> None:
        """Put what the watches have shown into the work queue.

        Args:
            keys: What there may be something to do about.
            namespace: That of the object that was seen.
            spec: Of the build that was seen, empty for defaults: both may change whose turn it is.
        """
        if not self._is_synced:
            return
        if spec is not None and self._gate.concerns(namespace, spec):
            self._enqueue_admission()
        for key in keys:
            self._enqueue(key)

    def lost(self, keys: Iterable[BuildKey | Sweep | DefaultsKey | TrackedKey | WatcherKey]) -> None:
        """Put what deletions that no watch has shown concern into the work queue, and decide whose turn it is."""
        if not self._is_synced:
            return
        for key in keys:
            self._enqueue(key)
            self._gate.probe_soon(key.namespace, _utc_now())
        self._enqueue_admission()

    def retry_soon(self, namespace: str) -> None:
        """Let builds whose namespace is held try again soon: a pod has ended, or the defaults can be read again."""
        if self._gate.probe_soon(namespace, _utc_now()):
            self._enqueue_admission()

    def _enqueue(self, key: Key) -> None:
        self.queue.add(key)

    def _enqueue_admission(self) -> None:
        """Decide soon whose turn it is: at once, or with all that happens in a short while."""
        passed = asyncio.get_running_loop().time() - self._admitted_at
        self.queue.add(Admit(), max(0.0, self._pause - passed), Rank.URGENT)

    def _rank(self, key: Key) -> Rank:
        """Builds that have only to be recorded, as waiting or as those of new pods, come after those that get a pod.

        So do TrackedImages: thousands of them are looked at after a start, and nobody waits for most.
        """
        if isinstance(key, TrackedKey):
            return Rank.IDLE
        build = self._store.build(key) if isinstance(key, BuildKey) else None
        if build is None or build.started is not None:
            return Rank.NORMAL
        pods = self._store.pods(build)
        waits = all(pod.is_fresh for pod in pods) if pods else self._gate.concerns(build.namespace, build.spec)
        return Rank.IDLE if waits else Rank.NORMAL

    async def _handle(self, key: Key) -> float | None:
        try:
            return await self._dispatch(key)
        except ClusterError as error:
            # Of StandbyError too: the leadership has ended, or is about to be renewed late.
            status = f"{error.status} from the API server: " if error.status else ""
            raise RequeueError(f"{status}{error}", error.retry_after) from error

    async def _dispatch(self, key: Key) -> float | None:
        match key:
            case Resync():
                await self._resync()
                return UNREADABLE_INTERVAL if self._store.has_unreadable_defaults else RESYNC_INTERVAL
            case Admit():
                self._admit()
                return None
            case Sweep(namespace):
                return await self._sweeper.sweep(namespace)
            case DefaultsKey(namespace):
                await self._defaults_reporter.report(namespace)
                return None
            case TrackedKey():
                return await self._tracker.reconcile(key, _utc_now())
            case WatcherKey(namespace):
                return await self._tracker.watch(namespace)
            case BuildKey():
                requeue_after = await self._reconcile(key)
                if self._gate.is_stale:
                    self._enqueue_admission()
                return requeue_after

    def _log_failure(self, key: Key, error: Exception, delay: float) -> None:
        match key:
            case Resync():
                action, extra = "Resync", about("", "")
            case Admit():
                action, extra = "Admission of the waiting builds", about("", "")
            case DefaultsKey(namespace):
                action, extra = "Status update of the defaults", about(namespace, "")
            case TrackedKey(namespace, name):
                action, extra = "Reconcile of the TrackedImage", about(namespace, name)
            case WatcherKey(namespace):
                action, extra = "Look at the watcher", about(namespace, "")
            case Sweep(namespace):
                action, extra = "Deletion of finished builds", about(namespace, "")
            case BuildKey(namespace, name):
                action, extra = "Reconcile", about(namespace, name)
                if (build := self._store.build(key)) is not None:
                    extra = about(namespace, name, uid=build.uid, attempt=build.attempt)
        if isinstance(error, RequeueError):
            _logger.warning("%s failed: %s; retrying in %.1f s", action, error, delay, extra=extra)
        else:
            _logger.error("%s failed; retrying in %.1f s", action, delay, exc_info=error, extra=extra)

    async def _reconcile(self, key: BuildKey) -> float | None:
        result, requeue_after = "error", None
        start, version = time.perf_counter(), self._version(key)
        try:
            requeue_after = await self._reconciler.reconcile(key)
            result = "success"
        except ConflictError:
            if self._version(key) == version:
                # Not a change by somebody else, so retrying at once would not help: a webhook, for example.
                raise
            result, requeue_after = "conflict", 0.0
        finally:
            took = Observation(RECONCILE_DURATION, (), time.perf_counter() - start)
            self._metrics.add([Observation(RECONCILES, (result,)), took])
        return requeue_after

    def _version(self, key: BuildKey) -> str | None:
        build = self._store.build(key)
        return build.resource_version if build else None

    async def _resync(self) -> None:
        were_unreadable = self._store.has_unreadable_defaults
        await relist(self._cluster, self._store, self._settings.namespaces)
        if were_unreadable and not self._store.has_unreadable_defaults:
            for namespace in {build.namespace for build, _ in self._store.unfinished()}:
                self._gate.probe_soon(namespace, _utc_now())
        self._is_synced = True
        self._enqueue_admission()
        for key in self._store.known_keys():
            self._enqueue(key)

    def _admit(self) -> None:
        start = time.perf_counter()
        decision = self._gate.decide(self._store.unfinished(), _utc_now())
        self._pause = max(ADMISSION_INTERVAL, (time.perf_counter() - start) / ADMISSION_SHARE)
        for key in decision.due:
            self.queue.add(key, rank=Rank.URGENT)
        for key in decision.waiting:
            self.queue.add(key, rank=Rank.IDLE)
        self._admitted_at = asyncio.get_running_loop().time()
        if decision.requeue_after is not None:
            self.queue.add(Admit(), max(self._pause, decision.requeue_after), Rank.URGENT)


def _utc_now() -> datetime:
    return datetime.now(UTC)
