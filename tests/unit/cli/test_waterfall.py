"""Spans of a build, from its status."""

from datetime import UTC, datetime, timedelta

from imagebuild import Build
from kubectl_imagebuild.waterfall import Lane, Span, State, lanes

CREATED = datetime(2026, 11, 25, 10, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return CREATED + timedelta(seconds=seconds)


def stamp(seconds: int) -> str:
    return at(seconds).isoformat().replace("+00:00", "Z")


def shown(**status: object) -> tuple[Lane, ...]:
    metadata = {"name": "app", "namespace": "team", "uid": "1", "creationTimestamp": stamp(0)}
    return lanes(Build({"metadata": metadata, "spec": {}, "status": status}))


def test_a_build_that_the_operator_has_not_seen_is_queued():
    assert shown() == (Lane("", (Span("Queued", at(0), None, State.RUNNING),)),)


def test_the_parts_of_a_build_that_has_succeeded_follow_each_other():
    timings = {
        "queuedMilliseconds": 2000,
        "scheduledMilliseconds": 0,
        "pulledMilliseconds": 3000,
        "buildMilliseconds": 4500,
        "pushMilliseconds": 500,
        "totalMilliseconds": 9000,
    }
    attempts = [{"podName": "a", "startTime": stamp(2), "completionTime": stamp(11)}]
    status = {"startTime": stamp(2), "completionTime": stamp(11), "timings": timings, "attempts": attempts}
    (lane,) = shown(phase="Succeeded", **status)
    assert lane.spans == (
        Span("Queued", at(0), at(2), State.DONE),
        Span("Scheduling", at(2), at(2), State.DONE),
        Span("Starting the pod", at(2), at(5), State.DONE),
        Span("Running the Dockerfile", at(5), at(9.5), State.DONE),
        Span("Pushing", at(9.5), at(10), State.DONE),
    )


def test_a_failed_build_ends_with_a_failed_part_after_its_earlier_attempts():
    attempts = [
        {"podName": "a", "reason": "Evicted", "startTime": stamp(2), "completionTime": stamp(11)},
        {"podName": "b", "reason": "RunCommandFailed", "startTime": stamp(20), "completionTime": stamp(30)},
    ]
    status = {
        "startTime": stamp(2),
        "completionTime": stamp(30),
        "timings": {"buildMilliseconds": 7000},
        "attempts": attempts,
    }
    (lane,) = shown(phase="Failed", **status)
    assert lane.spans == (
        Span("Attempt 1", at(2), at(11), State.FAILED, "Evicted"),
        Span("Running the Dockerfile", at(20), at(27), State.FAILED),
    )


def test_a_build_that_never_had_a_pod_was_queued_to_its_end():
    (lane,) = shown(phase="Failed", reason="WaitTimeout", completionTime=stamp(60))
    assert lane.spans == (Span("Queued", at(0), at(60), State.FAILED, "WaitTimeout"),)
    (lane,) = shown(phase="Cancelled", reason="Cancelled", startTime=stamp(1), completionTime=stamp(9))
    assert lane.spans == (Span("Preparing the pod", at(1), at(9), State.CANCELLED, "Cancelled"),)


def test_a_running_build_has_an_open_span():
    started = [{"type": "Waiting", "status": "False", "lastTransitionTime": stamp(8)}]
    (lane,) = shown(phase="Building", startTime=stamp(2), conditions=started)
    assert lane.spans == (
        Span("Queued", at(0), at(2), State.DONE),
        Span("Preparing the pod", at(2), at(8), State.DONE),
        Span("Building", at(8), None, State.RUNNING),
    )
    (lane,) = shown(phase="Preparing", reason="ImagePullBackOff", startTime=stamp(2))
    assert lane.spans[-1] == Span("Preparing the pod", at(2), None, State.RUNNING, "ImagePullBackOff")


def test_each_platform_has_a_lane_and_the_index_comes_last():
    timings = {"queuedMilliseconds": 1000, "buildMilliseconds": 3000}
    entry = {"phase": "Succeeded", "startTime": stamp(1), "completionTime": stamp(5), "timings": timings}
    platforms = [{"platform": "linux/amd64", **entry}, {"platform": "linux/arm64", **entry, "phase": "Failed"}]
    found = shown(phase="Failed", startTime=stamp(1), completionTime=stamp(6), timings=timings, platforms=platforms)
    assert [lane.name for lane in found] == ["linux/amd64", "linux/arm64"]
    assert [lane.spans[-1].state for lane in found] == [State.DONE, State.FAILED]
    platforms = [{"platform": "linux/amd64", **entry}, {"platform": "linux/arm64", **entry}]
    *_, index = shown(phase="Pushing", startTime=stamp(1), platforms=platforms)
    assert index == Lane("", (Span("Pushing the index", at(5), None, State.RUNNING),))
    attempts = [{"podName": "i", "startTime": stamp(5), "completionTime": stamp(7)}]
    *_, index = shown(phase="Succeeded", startTime=stamp(1), platforms=platforms, attempts=attempts)
    assert index == Lane("", (Span("Pushing the index", at(5), at(7), State.DONE),))
