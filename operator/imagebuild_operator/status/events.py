"""Kubernetes Events: those we write, and those of the kubelet that we read."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.names import API_VERSION, KIND, OPERATOR
from imagebuild_operator.api.redact import redact
from imagebuild_operator.api.time import format_time
from imagebuild_operator.decide.plan import Event

#: Reasons of Events that show a pod getting on: whatever was warned of before has healed, or did not matter.
WENT_ON: Final = frozenset({"SuccessfulAttachVolume", "Pulling", "Pulled", "Created", "Started"})
#: What the API server takes at most.
MAX_MESSAGE: Final = 1024


def event_manifest(build: ImageBuild, event: Event, now: datetime) -> dict[str, Any]:
    """The manifest of an Event about a build."""
    unique = hashlib.sha256(f"{build.uid}/{event.reason}/{now.timestamp()}".encode()).hexdigest()[:12]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{build.name[:200]}.{unique}", "namespace": build.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "namespace": build.namespace,
            "name": build.name,
            "uid": build.uid,
            "resourceVersion": build.resource_version,
        },
        "type": event.type,
        "reason": event.reason,
        "message": redact(event.message)[:MAX_MESSAGE],
        "source": {"component": OPERATOR},
        "reportingComponent": OPERATOR,
        "firstTimestamp": format_time(now),
        "lastTimestamp": format_time(now),
        "count": 1,
    }


def latest_warning(events: Iterable[Mapping[str, Any]]) -> str | None:
    """The message of the newest Warning about a pod that has a node, or None where there is none, or it has passed."""
    told = [event for event in events if event.get("reason") != "FailedScheduling"]
    newest = max((event for event in told if event.get("type") == "Warning"), key=_moment, default=None)
    went_on = max((_moment(event) for event in told if event.get("reason") in WENT_ON), default="")
    if newest is None or _moment(newest) <= went_on:
        return None
    return str(newest.get("message") or newest.get("reason"))


def _moment(event: Mapping[str, Any]) -> str:
    """RFC 3339 in UTC sorts as text."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next((str(time) for time in times if time), format_time(datetime.fromtimestamp(0, UTC)))
