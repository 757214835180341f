"""Why a pod does not start, from the kubelet's Events about it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from imagebuild_operator.api.redact import head
from imagebuild_operator.api.time import format_time

#: Reasons of Events that show progress: an earlier warning has been resolved, or did not matter.
WENT_ON: Final = frozenset({"SuccessfulAttachVolume", "Pulling", "Pulled", "Created", "Started"})
#: Characters of a message that are read. Anyone who can create Events can write a longer message about a pod.
MAX_WARNING: Final = 4096


def latest_warning(events: Iterable[Mapping[str, Any]]) -> str | None:
    """The message of the newest Warning about a pod that has a node; None if there is none, or the pod went on."""
    told = [event for event in events if event.get("reason") != "FailedScheduling"]
    newest = max((event for event in told if event.get("type") == "Warning"), key=_time, default=None)
    went_on = max((_time(event) for event in told if event.get("reason") in WENT_ON), default="")
    if newest is None or _time(newest) <= went_on:
        return None
    return head(str(newest.get("message") or newest.get("reason")), MAX_WARNING)


def _time(event: Mapping[str, Any]) -> str:
    """RFC 3339 in UTC sorts as text."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next((str(time) for time in times if time), format_time(datetime.fromtimestamp(0, UTC)))
