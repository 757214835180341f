"""The rows of docs/reference/states.yaml, and the bodies that Kubernetes would show for them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from imagebuild_operator.api.time import format_time

Json = dict[str, Any]

STATES = Path(__file__).parents[2] / "docs" / "reference" / "states.yaml"
#: Where the states of the containers are in a pod's status.
CONTAINERS = (
    ("check", "initContainerStatuses"),
    ("upload", "initContainerStatuses"),
    ("build", "initContainerStatuses"),
    ("scan", "initContainerStatuses"),
    ("push", "containerStatuses"),
)


@dataclass(frozen=True)
class Row:
    """One row: what is there, and what the operator makes of it."""

    name: str
    phase: str | None
    reason: str | None = None
    says: str = ""
    does: tuple[str, ...] = ()
    at: float = 20
    spec: Json = field(default_factory=dict)
    recorded: Json = field(default_factory=dict)
    admission: str | None = None
    refused: Json | None = None
    pod: Json | None = None
    events: tuple[Json, ...] = ()

    @property
    def is_deleted(self) -> bool:
        """Whether somebody has asked for the pod to go."""
        return "deleted" in (self.pod or {})


def rows() -> Iterator[Row]:
    """Every row."""
    for group in yaml.safe_load(STATES.read_text(encoding="utf-8")):
        for number, row in enumerate(group["rows"]):
            known = {name: value for name, value in row.items() if name != "seen"}
            lists = {name: tuple(row.get(name, ())) for name in ("does", "events")}
            yield Row(**{**known, **lists, "name": f"{group['group']} {number + 1}"})


def moments(value: Any, start: datetime) -> Any:  # noqa: ANN401 - any part of a body
    """The same with each time, a number of seconds in the table, as Kubernetes writes it."""
    if isinstance(value, list | tuple):
        return [moments(item, start) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: format_time(start + timedelta(seconds=item))
        if name.endswith(("At", "Time", "Timestamp")) and isinstance(item, int)
        else moments(item, start)
        for name, item in value.items()
    }


def pod_status(row: Row, start: datetime) -> Json:
    """The status of the row's pod."""
    pod = row.pod or {}
    status: Json = {name: pod[name] for name in ("phase", "reason", "message") if name in pod}
    status.setdefault("phase", "Pending")
    status["conditions"] = list(pod.get("conditions", ()))
    if "scheduled" in pod:
        status["conditions"].append({"type": "PodScheduled", "status": "True", "lastTransitionTime": pod["scheduled"]})
    for name, place in CONTAINERS:
        if name in pod:
            entry = {"name": name, "ready": False, "restartCount": 0, "image": "i", "imageID": ""}
            status.setdefault(place, []).append({**entry, "state": _state(pod[name])})
    made: Json = moments(status, start)
    return made


def _state(state: Json) -> Json:
    """A container's state, its report written as JSON."""
    [(name, detail)] = state.items()
    report = detail.get("message")
    return {name: {**detail, "message": json.dumps(report)} if isinstance(report, dict) else detail}
