"""How long a build waits for its first pod."""

from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.time import duration
from imagebuild_operator.decide.phase import failed_outcome
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.status.outcome import Outcome


def patience(inputs: ReconcileInput) -> float | None:
    """Seconds for which a build will go on waiting for its first pod, 0 or less if it has waited too long.

    None if it waits forever: it has had a pod, it is suspended, or the settings say so.
    """
    build, limit = inputs.build, inputs.settings.max_wait
    if build.started is not None or build.is_suspended or not limit:
        return None
    since = build.waiting_since or inputs.now
    return limit - (inputs.now - since).total_seconds()


def given_up(inputs: ReconcileInput, why: str) -> Outcome:
    """The outcome of a build that has waited too long.

    Args:
        inputs: The build, and what is known around it.
        why: What it waited for, as the message of its turn or of the API server.
    """
    limit, cause = duration(inputs.settings.max_wait), why.removeprefix("Waiting: ")
    message = f"The build got no pod within {limit}: {cause[:1].lower()}{cause[1:]}"
    return failed_outcome(Reason.WAIT_TIMEOUT, message, None)
