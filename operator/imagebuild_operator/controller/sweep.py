"""Delete the finished builds that are past their TTL or over the history limits."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.cache.store import Store
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.decide.retention import expired
from imagebuild_operator.telemetry.logging import about

_logger: Final = logging.getLogger(__name__)

#: Builds that are deleted in one go. A new TTL may make tens of thousands due at once, and the liveness probe fails
#: when one key of the work queue takes too long.
BATCH: Final = 100
#: Builds that are deleted per second at most, in all namespaces together.
RATE: Final = 20.0
#: Seconds until the sweep of a namespace whose ImageBuildDefaults cannot be read is retried.
UNREADABLE_RETRY: Final = 60.0
#: Seconds until a sweep is retried that came before the first list of everything.
INCOMPLETE_RETRY: Final = 1.0


class Sweeper:
    """Deletes finished builds, one namespace at a time."""

    def __init__(self, cluster: Cluster, store: Store, clock: Callable[[], datetime]) -> None:
        """Make a sweeper.

        Args:
            cluster: The API server.
            store: The cache, which remembers the finished builds.
            clock: Tells the time.
        """
        self._cluster = cluster
        self._store = store
        self._clock = clock
        #: When the next batch may begin.
        self._next = clock()

    async def sweep(self, namespace: str) -> float | None:
        """Delete a batch of the builds of a namespace that are due.

        Returns:
            Seconds until the next batch may begin or the next build is due, or None.

        Raises:
            ClusterError: the API server failed; the same call later will do.
        """
        if not self._store.has_all_builds(namespace):
            # The defaults are not known yet, which may keep builds for longer than the settings do, or not all builds.
            return INCOMPLETE_RETRY
        if self._store.is_defaults_unreadable(namespace):
            # They may keep builds for longer than the settings do.
            return UNREADABLE_RETRY
        pause = (self._next - self._clock()).total_seconds()
        if pause > 0:
            return pause
        finished, history = self._store.finished.of(namespace), self._store.history(namespace)
        due, wait = expired(finished, history, self._store.defaults(namespace).ttl, self._clock())
        batch = due[:BATCH]
        for build in batch:
            self._next = max(self._next, self._clock()) + timedelta(seconds=1 / RATE)
            await self._cluster.builds.delete(namespace, build.name, build.uid)
            self._store.drop_build(BuildKey(namespace, build.name), build.uid)
            extra = about(namespace, build.name, uid=build.uid)
            _logger.info("Deleted the finished build: it is past its TTL or over the history limit.", extra=extra)
        if len(batch) < len(due):
            return max(0.0, (self._next - self._clock()).total_seconds())
        return wait
