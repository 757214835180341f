"""The plan that records an outcome: the status that changes with it, and the Event about it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.build import Attempts, ImageBuild
from imagebuild_operator.api.reasons import REASONS, Reason
from imagebuild_operator.api.redact import redact, redact_all
from imagebuild_operator.decide.plan import DeletePod, Plan
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.status.conditions import MAX_MESSAGE
from imagebuild_operator.status.document import changes, next_status
from imagebuild_operator.status.events import Event
from imagebuild_operator.status.outcome import Outcome

#: The reason of the Event about a build that succeeded with warnings.
BUILD_WARNING: Final = "BuildWarning"
#: The reasons of Events that are not in `Reason`.
EVENTS: Final[Mapping[str, str]] = {
    Phase.PENDING: "The image was built once; output.corroborate has it built again before it is pushed.",
    Phase.PREPARING: "A pod was created, and waits for its node or for what it needs.",
    Phase.BUILDING: "The Dockerfile is being run.",
    Phase.PUSHING: "The image is built and is being pushed.",
    Phase.SUCCEEDED: "The image is where it should be; the message has its digest.",
    BUILD_WARNING: "The build has succeeded, but something went wrong: the cache could not be written, for example.",
}


def record(
    inputs: ReconcileInput,
    outcome: Outcome,
    *,
    requeue_after: float | None = None,
    delete: tuple[DeletePod, ...] = (),
    attempts: Attempts | None = None,
) -> Plan:
    """Record the outcome of a build.

    Args:
        inputs: The build and its pods.
        outcome: The outcome of it.
        requeue_after: Seconds after which to requeue the build.
        delete: Pods to delete once it is written.
        attempts: The attempts that have ended, if there is one more than recorded.
    """
    build, now_set = inputs.build, inputs.settings.defaults.builder_image
    image = next((pod.image for pod in inputs.pods if pod.image), now_set)
    recorded = build.attempts if attempts is None else attempts
    # Redact before it is cut: half a password could no longer be recognized.
    outcome = replace(outcome, message=_fit(redact(outcome.message), outcome.hint or ""))
    status = next_status(build, outcome, inputs.pod, image, inputs.now, recorded)
    # The defaults stay as they are, since later attempts are built from them: those that hold credentials are refused.
    whole = {**redact_all(status), "appliedDefaults": status["appliedDefaults"]}
    events = _events(build, outcome, whole.get("warnings") or ())
    return Plan(status=changes(build, whole) or None, events=events, delete=delete, requeue_after=requeue_after)


def _fit(message: str, hint: str) -> str:
    """Cut a message to the length that the status holds, but keep what to do at its end."""
    if len(message) <= MAX_MESSAGE or not message.endswith(hint):
        return message[:MAX_MESSAGE]
    return f"{message[: MAX_MESSAGE - len(hint) - 2]}… {hint}"


def _events(build: ImageBuild, outcome: Outcome, warnings: Sequence[str]) -> tuple[Event, ...]:
    """One Event for each change of phase or reason, and one for the warnings of a success."""
    before = (build.status.get("phase"), build.status.get("reason"))
    after = (str(outcome.phase), str(outcome.reason) if outcome.reason else None)
    if before == after:
        return ()
    waits_its_turn = outcome.phase is Phase.QUEUED and outcome.reason is not Reason.DEFAULTS_INVALID
    is_well = (
        outcome.reason in {None, Reason.AWAITING_UPLOAD, Reason.CANCELLED, Reason.SUPERSEDED, Reason.UNCHANGED}
        or waits_its_turn
    )
    event = Event("Normal" if is_well else "Warning", str(outcome.reason or outcome.phase), outcome.message)
    if outcome.phase is not Phase.SUCCEEDED or not warnings:
        return (event,)
    more = f" {len(warnings) - 1} more are in status.warnings." if len(warnings) > 1 else ""
    return event, Event("Warning", BUILD_WARNING, warnings[0] + more)


def recorded_reason(build: ImageBuild) -> Reason | None:
    """The reason recorded last; None if there is none, or this version does not know it."""
    reason = build.status.get("reason")
    return REASONS.get(reason)
