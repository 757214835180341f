"""What it means that the API server did not take a build pod: to wait, or that it never will."""

from datetime import datetime
from typing import Final

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.errors import ClusterError, RejectedError
from imagebuild_operator.api.reasons import Reason

#: Seconds between two tries to create a pod that was not taken.
RETRY: Final = 10.0
#: The same for a ServiceAccount while the build is newer than that: a new namespace gets its own a moment later.
EARLY_RETRY: Final = 1.0

#: The API server's own words, each with what it means. All of these come with 403, as does a policy's refusal.
_WORDS: Final = (
    ("is forbidden: exceeded quota: ", Reason.QUOTA_EXCEEDED),
    # A ResourceQuota so new that nobody has counted yet.
    ("is forbidden: status unknown for quota: ", Reason.QUOTA_EXCEEDED),
    ("is forbidden: error looking up service account ", Reason.SERVICE_ACCOUNT_NOT_FOUND),
    ("because it is being terminated", Reason.POD_NOT_CREATED),
    # Our own rights, which may come back.
    ('cannot create resource "pods"', Reason.POD_NOT_CREATED),
)
#: The reasons of builds that wait since the API server did not take their pod.
WAITS: Final = frozenset({Reason.POD_NOT_CREATED, *(reason for _, reason in _WORDS)})
#: A webhook may choose any code for its refusal, but not these words.
_DENIED: Final = "denied the request"


def meaning(error: ClusterError) -> Reason:
    """Why there is no pod: `PodRejected` is final, all others are waited for.

    Whoever could not be asked (a webhook that does not answer) has refused nothing.
    """
    for words, reason in _WORDS:
        if words in error.message:
            return reason
    if isinstance(error, RejectedError) or _DENIED in error.message:
        return Reason.POD_REJECTED
    return Reason.POD_NOT_CREATED


def retry(build: ImageBuild, reason: Reason, now: datetime) -> float:
    """Seconds until it is tried again."""
    is_new = (now - build.created).total_seconds() < RETRY
    return EARLY_RETRY if is_new and reason is Reason.SERVICE_ACCOUNT_NOT_FOUND else RETRY
