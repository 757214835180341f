"""The conditions of an ImageBuild, and the generation that its status describes."""

from datetime import datetime
from typing import Final

from imagebuild_operator.api.body import Document
from imagebuild_operator.api.build import ImageBuild, Phase
from imagebuild_operator.api.time import format_time
from imagebuild_operator.status.verdict import Verdict

#: Characters of a message that are kept.
MAX_MESSAGE: Final = 1024
#: Phases in which the container `build` has started; the operator may see none of them of a short build.
STARTED: Final = frozenset({Phase.BUILDING, Phase.PUSHING, Phase.SUCCEEDED})


def conditions(build: ImageBuild, verdict: Verdict, now: datetime, *, has_begun: bool) -> list[Document]:
    """Make the conditions of a build.

    `Admitted`, `Started`, `Succeeded`, `Failed` and `Finished` are for `kubectl wait`: `Succeeded` is Unknown until the
    end, `Failed` is True after every end without success, and `Finished` is True at every end. `Started` is True once
    the log can be followed, and at every end, so that a script that waits for it always continues. `Ready`,
    `Reconciling` and `Stalled` are for kstatus, which Flux and other tools use: a build is Reconciling until its end,
    then either Ready or Stalled.
    """
    phase = verdict.phase
    has_succeeded, has_failed = phase is Phase.SUCCEEDED, phase in {Phase.FAILED, Phase.CANCELLED}
    outcome = "True" if has_succeeded else "False" if has_failed else "Unknown"
    reason, message = str(verdict.reason or phase), verdict.message
    admitted = ("True", "Admitted", "The build was admitted.") if has_begun else ("False", reason, message)
    started = ("True", "Started", "The container build has started.")
    if not _has_started(build, phase):
        started = (str(phase.is_final), reason, message)
    return [
        _condition(build, "Admitted", *admitted, now),
        _condition(build, "Started", *started, now),
        _condition(build, "Succeeded", outcome, reason, message, now),
        _condition(build, "Failed", str(has_failed), reason, message, now),
        _condition(build, "Finished", str(phase.is_final), reason, message, now),
        _condition(build, "Ready", str(has_succeeded), reason, message, now),
        _condition(build, "Reconciling", str(not phase.is_final), reason, "" if phase.is_final else message, now),
        _condition(build, "Stalled", str(has_failed), reason, message if has_failed else "", now),
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


def _has_started(build: ImageBuild, phase: Phase) -> bool:
    """Whether the container `build` of every pod has started, in this attempt or an earlier one."""
    before = build.status.get("conditions") or ()
    return phase in STARTED or any(c["type"] == "Started" and c["reason"] == "Started" for c in before)


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
