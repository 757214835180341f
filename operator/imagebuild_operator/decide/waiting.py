"""How long a build waits for its first pod."""

from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.time import duration
from imagebuild_operator.decide.phase import failed_verdict
from imagebuild_operator.decide.situation import Situation
from imagebuild_operator.status.verdict import Verdict


def patience(situation: Situation) -> float | None:
    """Seconds for which a build will go on waiting for its first pod, 0 or less if it has waited too long.

    None if it waits forever: it has had a pod, it is suspended, or the settings say so.
    """
    build, limit = situation.build, situation.settings.max_wait
    if build.started is not None or build.is_suspended or not limit:
        return None
    since = build.waiting_since or situation.now
    return limit - (situation.now - since).total_seconds()


def given_up(situation: Situation, why: str) -> Verdict:
    """The verdict on a build that has waited too long.

    Args:
        situation: The build, and what is known around it.
        why: What it waited for, as the message of its turn or of the API server.
    """
    limit, cause = duration(situation.settings.max_wait), why.removeprefix("Waiting: ")
    message = f"The build got no pod within {limit}: {cause[:1].lower()}{cause[1:]}"
    return failed_verdict(Reason.WAIT_TIMEOUT, message, None)
