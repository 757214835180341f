"""Computes the results of the liveness and the readiness probe. Pure.

The liveness probe fails only if a restart would help. So a silent watch counts only while the API server responds.
"""

from collections.abc import Mapping, Sequence
from typing import Final

#: Seconds that one reconcile may take, or that keys may wait while none is processed. A request to the API server times
#: out after 30 seconds, and a reconcile makes few of them.
STUCK: Final = 600.0
#: A watch has stalled when it is silent for this many times the silence after which it is restarted.
SILENCES: Final = 3
#: What to do if the operator lacks a permission.
GRANT: Final = "Grant its ServiceAccount list and watch, as the chart's Role or ClusterRole does."


def stalled(ages: Mapping[str, float], silence: float) -> list[str]:
    """List the stalled watches, each as a sentence.

    Args:
        ages: Seconds since each watch received anything.
        silence: Seconds of silence after which a watch is restarted.
    """
    return [
        f"The watch of {resource} has received nothing for {age:.0f} s."
        for resource, age in ages.items()
        if age > SILENCES * silence
    ]


def stuck(seconds: float) -> list[str]:
    """Say whether the work queue is stuck, given the age of its oldest work in seconds."""
    return [f"The work queue has been stuck for {seconds:.0f} s."] if seconds > STUCK else []


def out_of_election(failure: BaseException | None) -> list[str]:
    """Say whether an exception has ended the operator's part in the leader election, so that it stays a standby."""
    return [f"The leader election has failed: {type(failure).__name__}."] if failure else []


def without_lease(seconds: float) -> list[str]:
    """Say whether the Lease cannot be reached, so that this operator neither leads nor takes over."""
    return [f"The Lease could not be read or renewed for {seconds:.0f} s longer than it lasts."] if seconds else []


def unready(*, has_started: bool, have_listed: bool) -> list[str]:
    """List what the operator waits for before it is ready."""
    if not has_started:
        return ["The operator is starting."]
    return [] if have_listed else ["The first lists of ImageBuilds and pods are incomplete."]


def denied(paths: Sequence[str]) -> list[str]:
    """Name the lists and watches that the API server denies the operator, each as a sentence."""
    return [f"The API server denies the operator {path} (403). {GRANT}" for path in paths]


def rejected(seconds: float, *, is_rejected: bool) -> list[str]:
    """What is wrong with credentials that the API server rejects."""
    return [f"The API server has rejected the operator's credentials (401) for {seconds:.0f} s."] if is_rejected else []


def degraded(*, has_unreadable_defaults: bool) -> list[str]:
    """What keeps builds from beginning although the operator runs."""
    if not has_unreadable_defaults:
        return []
    return ["The operator may not list ImageBuildDefaults. Builds that have not started wait with DefaultsUnreadable."]
