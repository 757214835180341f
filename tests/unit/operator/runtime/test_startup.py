from imagebuild_operator.runtime.startup import Backoffs, kopf_settings


def test_the_first_watch_of_a_resource_comes_after_its_first_list():
    # Readiness depends on it.
    assert kopf_settings(90, "").watching.initial_streaming is False


def test_a_request_of_kopf_is_retried_without_end():
    delays = iter(Backoffs())
    assert all(next(delays) <= 10 for _ in range(1000))
