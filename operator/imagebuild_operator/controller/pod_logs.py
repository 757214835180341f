"""Reads the logs of running builds for their progress: a few at once; a log that can't be read is skipped."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from imagebuild_vocabulary.names import BUILD

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.api.errors import ClusterError
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.observe.progress import Log, next_read
from imagebuild_operator.telemetry.logging import about

_logger: Final = logging.getLogger(__name__)

#: Logs that are read at once: a node that does not answer must not block all workers.
AT_ONCE: Final = 4


class LogReader:
    """Remembers when the log of each running build was read last; after a restart, each is read once more."""

    def __init__(self, cluster: Cluster, *, enabled: bool) -> None:
        self._cluster = cluster
        self._enabled = enabled
        self._read: dict[BuildKey, dict[str, datetime]] = {}
        self._reading = 0

    async def read_due(self, build: ImageBuild, pods: Iterable[PodFacts], now: datetime) -> dict[str, Log]:
        """What is known of the logs of a build's pods; the logs that are due are read."""
        key = BuildKey.of(build)
        before = self._read.pop(key, {})
        logs: dict[str, Log] = {}
        for pod in pods if self._enabled else ():
            text, last = None, before.get(pod.uid)
            due = next_read(pod, last)
            if due is None:
                continue
            if due <= now and self._reading < AT_ONCE:
                text, last = await self._try(build, pod), now
            logs[pod.name] = Log(text, last)
            if last is not None:
                self._read.setdefault(key, {})[pod.uid] = last
        return logs

    def forget(self, key: BuildKey) -> None:
        """Forget a build whose log is no longer read."""
        self._read.pop(key, None)

    async def _try(self, build: ImageBuild, pod: PodFacts) -> str | None:
        """Read a log; None if it can't be read: no permission, an unreachable node, a deleted pod."""
        self._reading += 1
        try:
            return await self._cluster.pods.read_log(build.namespace, pod.name, BUILD)
        except ClusterError as error:
            extra = about(build.namespace, build.name, uid=build.uid)
            _logger.debug("Reading the log of pod %s failed: %s", pod.name, error, extra=extra)
            return None
        finally:
            self._reading -= 1
