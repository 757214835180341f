"""Record Kubernetes Events about builds and TrackedImages, and the same in the operator's log."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.errors import ClusterError
from imagebuild_operator.api.traceparent import parent, trace_of
from imagebuild_operator.api.tracked import TrackedImage
from imagebuild_operator.client.cluster import Cluster
from imagebuild_operator.status.events import Event, event_manifest
from imagebuild_operator.telemetry.logging import about

_logger: Final = logging.getLogger(__name__)


class EventRecorder:
    """Creates Events. They are for people to read: a lost one is not worth a retry."""

    def __init__(self, cluster: Cluster, *, traced: bool) -> None:
        """Make a recorder.

        Args:
            cluster: The API server.
            traced: Whether every build has a trace, so that log lines name it.
        """
        self._cluster = cluster
        self._traced = traced

    async def record(self, build: ImageBuild, event: Event, status: Mapping[str, Any], now: datetime) -> None:
        """Log an Event and create it.

        Args:
            build: The build, as it was before the change.
            event: What changed.
            status: The build's status after the change.
            now: The current time.
        """
        fields = {"uid": build.uid, "attempt": build.attempt, "event": event.reason}
        if self._traced or parent(build) is not None:
            fields["trace_id"] = trace_of(build).trace_id
        extra = about(build.namespace, build.name, **fields, phase=status.get("phase"), reason=status.get("reason"))
        await self._create(build.reference, event, now, extra)

    async def record_tracked(self, image: TrackedImage, event: Event, now: datetime) -> None:
        """The same for a TrackedImage."""
        await self._create(image.reference, event, now, about(image.namespace, image.name, event=event.reason))

    async def _create(self, involved: Document, event: Event, now: datetime, extra: Mapping[str, Any]) -> None:
        _logger.info("%s", event.message, extra=extra)
        try:
            await self._cluster.events.create(event_manifest(involved, event, now))
        except ClusterError as error:
            extra = about(involved["namespace"], involved["name"], uid=involved["uid"])
            _logger.warning("Event %s could not be created and is lost: %s", event.reason, error, extra=extra)
