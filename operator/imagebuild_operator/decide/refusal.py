"""What it means that the API server refuses to create a build pod: wait and retry, or fail."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Final

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.errors import ClusterError, RejectedError
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.redact import redact
from imagebuild_operator.api.time import parse_time
from imagebuild_operator.decide.phase import waiting_outcome
from imagebuild_operator.decide.retry import MAX_DELAY, retry_delay, spread
from imagebuild_operator.status.outcome import Outcome

#: Seconds until the first retry.
RETRY: Final = 10.0
#: The same for a missing ServiceAccount while the build is newer than `RETRY`: the controller manager creates that of a
#: new namespace a moment later.
EARLY_RETRY: Final = 1.0
#: Characters of an error of the API server that are kept: a message has 1024, and ends with what to do.
MAX_ERROR: Final = 900

#: How much of a quota is used, which changes all the time.
_USED: Final = re.compile(r", used: \S+(?=, |\Z)")
_NUMBER: Final = re.compile(r"[0-9]+")

#: Messages of the API server, each with its reason. All of these come with 403, as does the refusal by a policy.
_WORDS: Final = (
    ("is forbidden: exceeded quota: ", Reason.QUOTA_EXCEEDED),
    # A new ResourceQuota that the quota controller has not calculated yet.
    ("is forbidden: status unknown for quota: ", Reason.QUOTA_EXCEEDED),
    ("is forbidden: error looking up service account ", Reason.SERVICE_ACCOUNT_NOT_FOUND),
    ("because it is being terminated", Reason.POD_NOT_CREATED),
    # The operator's own permissions, which may be granted again.
    ('cannot create resource "pods"', Reason.POD_NOT_CREATED),
)
#: The reasons of builds that wait because the API server refuses to create their pod.
WAITS: Final = frozenset({Reason.POD_NOT_CREATED, *(reason for _, reason in _WORDS)})
#: A webhook may refuse with any status code, but always with these words.
_DENIED: Final = "denied the request"


def meaning(error: ClusterError) -> Reason:
    """Why there is no pod: `PodRejected` is final, with any other reason the build waits.

    A webhook that does not answer has refused nothing.
    """
    for words, reason in _WORDS:
        if words in error.message:
            return reason
    if isinstance(error, RejectedError) or _DENIED in error.message:
        return Reason.POD_REJECTED
    return Reason.POD_NOT_CREATED


def explanation(error: ClusterError, reason: Reason, build: ImageBuild) -> Outcome:
    """The outcome of a build that waits.

    While only numbers in its message change, the message stays as recorded, since a change is a write.
    """
    said = redact(f"The build pod can't be created yet: {_USED.sub('', error.message)}")[:MAX_ERROR]
    outcome = waiting_outcome(Phase.PENDING, said, reason)
    recorded = str(build.status.get("message") or "")
    is_same = build.status.get("reason") == reason and _NUMBER.sub("0", recorded) == _NUMBER.sub("0", outcome.message)
    return replace(outcome, message=recorded) if is_same else outcome


def backoff(uid: str, refusals: int) -> float:
    """Seconds for which a build, or its namespace, is held after a number of refusals: doubling, up to 5 minutes."""
    return retry_delay(uid, refusals, RETRY)


def retry(build: ImageBuild, reason: Reason, now: datetime) -> float:
    """Seconds until the creation of a pod is retried: 10 at first, then as long as it was tried, up to 5 minutes."""
    if reason is Reason.SERVICE_ACCOUNT_NOT_FOUND and (now - build.created).total_seconds() < RETRY:
        return EARLY_RETRY
    tried = 0.0
    if build.status.get("reason") in WAITS:
        ended = parse_time(build.attempts[-1].get("completionTime")) if build.attempts else None
        tried = (now - (ended or build.started or build.waiting_since or now)).total_seconds()
    return min(max(RETRY, tried), MAX_DELAY) * spread(build.uid)
