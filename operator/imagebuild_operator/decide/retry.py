"""Whether and when a build is retried after an attempt failed."""

import hashlib
from typing import Final

from imagebuild_operator.api.build import Attempts, RetrySpec
from imagebuild_operator.api.reason_rows import Retry
from imagebuild_operator.api.reasons import REASONS, Reason

#: Disruptions after which a build fails: a cluster that removes its pod this often will not let it finish.
MAX_DISRUPTIONS: Final = 10
#: Seconds between two attempts at most.
MAX_DELAY: Final = 300.0


def is_tried_again(reason: Reason, retry: RetrySpec, attempts: Attempts) -> bool:
    """Whether another attempt follows one that ended for a reason.

    Args:
        reason: Why the last attempt ended.
        retry: The retry policy of the build; a limit of 0 means that it is never retried.
        attempts: All attempts that have ended, including the last.
    """
    if retry.limit == 0:
        return False
    match reason.row.retry:
        case Retry.NEVER:
            return False
        case Retry.OTHER_ENGINE:
            return False
        case Retry.DISRUPTION:
            return _count(attempts, disruptions=True) <= MAX_DISRUPTIONS
        case Retry.LIMITED:
            return _count(attempts, disruptions=False) <= retry.limit
        case Retry.MORE_MEMORY:
            return retry.memory_percent is not None and _count(attempts, disruptions=False) <= retry.limit


def retry_delay(uid: str, attempts: int, first: float) -> float:
    """Seconds to wait after a number of attempts: doubling, and spread over the builds that failed together.

    The spread comes from the build's uid, not from chance, so that the answer is always the same.
    """
    return min(MAX_DELAY, first * 2.0 ** min(attempts - 1, 30)) * spread(f"{uid}/{attempts}")


def spread(text: str) -> float:
    """A factor from 0.75 to 1.25 that depends on a text alone."""
    digest = hashlib.sha256(text.encode()).digest()
    return 0.75 + 0.5 * int.from_bytes(digest[:4]) / 0xFFFFFFFF


def _count(attempts: Attempts, *, disruptions: bool) -> int:
    """How many attempts count: as disruptions, or against the limit. One whose reason is unknown does against it."""
    # The first of two builds has not failed.
    failed = [each for each in attempts if "digest" not in each]
    kinds = [REASONS[reason].row.retry if (reason := each.get("reason")) in REASONS else None for each in failed]
    counted = [kind for kind in kinds if kind is not Retry.OTHER_ENGINE]
    return sum((kind is Retry.DISRUPTION) is disruptions for kind in counted)
