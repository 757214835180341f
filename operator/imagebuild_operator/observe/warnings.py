"""The kubelet's Warning Events about a pod that does not start."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from imagebuild_operator.api.time import format_time

#: Reasons of Events that show a pod getting on: whatever was warned of before has healed, or did not matter.
WENT_ON: Final = frozenset({"SuccessfulAttachVolume", "Pulling", "Pulled", "Created", "Started"})


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
