"""When a build tries again to create a pod that the API server refused."""

from datetime import timedelta

import pytest
from imagebuild_operator.api.parse import parse_build
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.time import format_time
from imagebuild_operator.decide.refusal import EARLY_RETRY, RETRY, retry
from imagebuild_operator.decide.retry import MAX_DELAY, spread
from support.builds import UID, body

CREATED = parse_build(body()).created
ENDED = CREATED + timedelta(hours=1)


def after(seconds: float, reason: Reason | None) -> float:
    """The delay so many seconds after the end of the first attempt, where a reason is recorded."""
    attempts = [{"podName": "app-1", "reason": "RegistryUnavailable", "completionTime": format_time(ENDED)}]
    status = {"phase": "Pending", "reason": reason, "attempts": attempts, "startTime": format_time(CREATED)}
    build = parse_build(body(status=status))
    return retry(build, Reason.POD_NOT_CREATED, ENDED + timedelta(seconds=seconds))


def test_the_first_retry_is_soon_however_long_ago_the_last_attempt_ended():
    assert after(86_400, Reason.REGISTRY_UNAVAILABLE) == RETRY * spread(UID)


@pytest.mark.parametrize(("seconds", "delay"), [(3, RETRY), (40, 40), (86_400, MAX_DELAY)])
def test_later_retries_wait_for_as_long_as_the_build_has_tried(seconds: float, delay: float):
    assert after(seconds, Reason.POD_NOT_CREATED) == delay * spread(UID)


def test_a_new_namespace_gets_its_service_account_in_a_moment():
    build = parse_build(body())
    assert retry(build, Reason.SERVICE_ACCOUNT_NOT_FOUND, CREATED + timedelta(seconds=1)) == EARLY_RETRY
