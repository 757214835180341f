"""Writes the status of ImageBuildDefaults and ClusterImageBuildDefaults."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from imagebuild_operator.api.errors import ConflictError, NotFoundError, RejectedError
from imagebuild_operator.cache.store import Store
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.defaults.status import needs_status, next_status
from imagebuild_operator.telemetry.logging import about

_logger: Final = logging.getLogger(__name__)


class DefaultsReporter:
    """Reports whether an object with defaults is in force."""

    def __init__(self, cluster: Cluster, store: Store, clock: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._store = store
        self._clock = clock

    async def report(self, namespace: str) -> None:
        """Write the status of the object of a namespace, or of the cluster if it is empty, if it has changed.

        Raises:
            ClusterError: the API server failed; the same call later will do.
        """
        defaults = self._store.defaults_object(namespace)
        if defaults is None or not needs_status(defaults):
            return
        status = next_status(defaults, self._clock())
        try:
            body = await self._cluster.defaults.patch_status(namespace, str(defaults.version), status)
        except (ConflictError, NotFoundError):
            return  # The watch shows the newer object, or its deletion.
        except RejectedError as error:
            # Builds do not depend on it, so an operator with the rights of an older chart goes on without.
            _logger.warning("Updating the status of %s failed: %s", defaults.kind, error, extra=about(namespace, ""))
            return
        self._store.put_defaults(body)
        if defaults.problem:
            named, extra = f"{defaults.kind} {defaults.name}", about(namespace, "")
            _logger.warning("%s is invalid, so builds wait: %s", named, defaults.problem, extra=extra)
