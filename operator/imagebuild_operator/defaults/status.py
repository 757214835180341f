"""The status of an ImageBuildDefaults or ClusterImageBuildDefaults: whether it is in force."""

from datetime import UTC, datetime
from typing import Final

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.time import format_time
from imagebuild_operator.defaults.objects import DefaultsObject

#: Only written where a condition changes its status.
_ANY_TIME: Final = datetime.fromtimestamp(0, UTC)

#: Reasons of the conditions.
IN_FORCE: Final = "InForce"
INVALID_SPEC: Final = "InvalidSpec"


def next_status(defaults: DefaultsObject, now: datetime) -> Document:
    """The status that an object should have: its conditions, as kstatus and `kubectl wait` read them."""
    if defaults.problem:
        reason, message = INVALID_SPEC, f"{defaults.problem} Until then, builds that have not started wait."
    else:
        reason, message = IN_FORCE, "In force for builds that have not started."
    values = {"Ready": not defaults.problem, "Stalled": bool(defaults.problem)}
    return {
        "observedGeneration": defaults.generation,
        "conditions": [_condition(defaults, kind, str(value), reason, message, now) for kind, value in values.items()],
    }


def needs_status(defaults: DefaultsObject) -> bool:
    """Whether the recorded status of an object differs from the one that it should have."""
    return any(defaults.status.get(name) != value for name, value in next_status(defaults, _ANY_TIME).items())


def _condition(defaults: DefaultsObject, kind: str, value: str, reason: str, message: str, now: datetime) -> Document:
    conditions = defaults.status.get("conditions") or ()
    recorded: Document = next((condition for condition in conditions if condition["type"] == kind), {})
    is_same = recorded.get("status") == value
    return {
        "type": kind,
        "status": value,
        "reason": reason,
        "message": message,
        "observedGeneration": defaults.generation,
        "lastTransitionTime": recorded["lastTransitionTime"] if is_same else format_time(now),
    }
