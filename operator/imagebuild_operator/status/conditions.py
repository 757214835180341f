"""The conditions of an ImageBuild, and the generation that its status describes."""

from datetime import datetime
from typing import Final

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.time import format_time
from imagebuild_operator.status.outcome import Outcome

#: Characters of a message that are kept.
MAX_MESSAGE: Final = 1024
#: Phases in which a build waits for its turn, its node, its images or the check of its credentials.
WAITING: Final = frozenset({Phase.PENDING, Phase.QUEUED, Phase.PREPARING})


def conditions(build: ImageBuild, outcome: Outcome, now: datetime) -> list[Document]:
    """Make the conditions of a build.

    `Succeeded` is Unknown until the end, and `Finished` is True at every end. `Waiting` is True until the Dockerfile
    runs: once it is False, the log can be followed, or the build has ended. `Ready`, `Reconciling` and `Stalled` are
    for kstatus, which Flux and other tools use: a build is Reconciling until its end, then either Ready or Stalled.
    """
    phase = outcome.phase
    has_succeeded, has_failed = phase is Phase.SUCCEEDED, phase in {Phase.FAILED, Phase.CANCELLED}
    succeeded = "True" if has_succeeded else "False" if has_failed else "Unknown"
    values = {
        "Succeeded": succeeded,
        "Finished": str(phase.is_final),
        "Waiting": str(phase in WAITING),
        "Ready": str(has_succeeded),
        "Reconciling": str(not phase.is_final),
        "Stalled": str(has_failed),
    }
    # The message is said once, and where kstatus reads it.
    speaking = {"Succeeded", "Stalled" if has_failed else "Reconciling"} - ({"Reconciling"} if has_succeeded else set())
    reason = str(outcome.reason or phase)
    return [
        _condition(build, kind, value, reason, outcome.message if kind in speaking else "", now)
        for kind, value in values.items()
    ]


def observed(build: ImageBuild) -> Document:
    """Make the change to the status of a finished build that has a new generation; empty if it has none.

    Nothing but the generation changes: only fields that no longer matter can have changed in the spec.
    """
    if build.is_observed:
        return {}
    recorded = build.status.get("conditions") or ()
    return {
        "observedGeneration": build.generation,
        "conditions": [{**condition, "observedGeneration": build.generation} for condition in recorded],
    }


def _condition(build: ImageBuild, kind: str, value: str, reason: str, message: str, now: datetime) -> Document:
    recorded: Document = next((c for c in build.status.get("conditions") or () if c["type"] == kind), {})
    is_same = recorded.get("status") == value
    return {
        "type": kind,
        "status": value,
        "reason": reason,
        "message": message[:MAX_MESSAGE],
        "observedGeneration": build.generation,
        "lastTransitionTime": recorded["lastTransitionTime"] if is_same else format_time(now),
    }
