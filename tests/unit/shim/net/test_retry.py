import pytest
from kaniko_shim.net.retry import ATTEMPTS, FIRST_PAUSE, LONGEST_PAUSE, Retries


def test_pauses_double_until_no_attempt_is_left():
    said, slept = list[str](), list[float]()
    retries = Retries(said.append, slept.append)
    assert [retries.wait("it failed.") for _ in range(ATTEMPTS)] == [True] * (ATTEMPTS - 1) + [False]
    assert slept == [FIRST_PAUSE * 2**number for number in range(ATTEMPTS - 1)]
    assert said[0] == f"it failed; attempt 2 of {ATTEMPTS} in 1 s"
    assert len(said) == ATTEMPTS - 1


def test_attempts_are_counted_again_after_progress():
    slept = list[float]()
    retries = Retries(lambda _: None, slept.append)
    for _ in range(ATTEMPTS * 2):
        assert retries.wait("it failed")
        retries.reset()
    assert set(slept) == {FIRST_PAUSE}


@pytest.mark.parametrize(("asked", "expected"), [(30.0, 30.0), (0.1, FIRST_PAUSE), (10_000.0, LONGEST_PAUSE)])
def test_a_server_can_ask_for_a_longer_pause(asked: float, expected: float):
    slept = list[float]()
    Retries(lambda _: None, slept.append).wait("it failed", asked)
    assert slept == [expected]
