from itertools import repeat

import pytest
from imagebuild_operator.client.authentication import Authentication


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_credentials_that_are_rejected_too_long_are_given_up_once(clock: Clock):
    given_up: list[float] = []
    authentication = Authentication(60, given_up.append, clock)
    for _ in repeat(None, 7):
        authentication.answered(401)
        assert authentication.is_rejected
        clock.now += 10
    assert given_up == [60]
    assert authentication.rejected_for == 70
    authentication.answered(401)
    assert given_up == [60]
    assert authentication.has_given_up


@pytest.mark.parametrize("status", [200, 201, 403, 404, 409, 410, 429])
def test_any_other_answer_accepts_them(clock: Clock, status: int):
    authentication = Authentication(60, lambda _: None, clock)
    authentication.answered(401)
    clock.now += 59
    authentication.answered(status)
    assert not authentication.is_rejected
    assert authentication.rejected_for == 0
    clock.now += 59
    authentication.answered(401)
    assert not authentication.has_given_up


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_that_fails_says_nothing_about_them(clock: Clock, status: int):
    authentication = Authentication(60, lambda _: None, clock)
    authentication.answered(401)
    clock.now += 60
    authentication.answered(status)
    assert authentication.rejected_for == 60


def test_a_list_that_is_accepted_does_not_hide_a_watch_that_is_not(clock: Clock):
    authentication = Authentication(60, lambda _: None, clock)
    for _ in repeat(None, 7):
        authentication.answered(200, "list /api/v1/pods")
        authentication.answered(401, "watch /api/v1/pods")
        clock.now += 10
    assert authentication.has_given_up
