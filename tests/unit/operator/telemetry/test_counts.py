from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.queue import BEGIN
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.decide.record import BUILD_WARNING, EVENTS
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.telemetry.counts import ENDINGS, observations
from imagebuild_operator.telemetry.metrics import (
    ATTEMPTS_FINISHED,
    BUILD_DURATION,
    BUILDS_FINISHED,
    CACHE_LOOKUPS,
    IMAGE_SIZE,
    PHASE_DURATION,
    QUEUE_WAIT,
    Observation,
)
from imagebuild_vocabulary.phases import Phase
from support.builds import DIGEST, SETTINGS, a_build, a_pod, after, ended

STARTED = {"phase": "Building", "startTime": "2026-11-24T08:00:03Z", "podName": "p"}
OTHER_DIGEST = "sha256:" + "cd" * 32


def test_a_success_is_counted_with_all_that_was_measured():
    written: dict[str, Any] = {
        "phase": "Succeeded",
        "attempts": [{"podName": "p"}],
        "timings": {
            "queuedMilliseconds": 3000,
            "scheduledMilliseconds": 500,
            "pulledMilliseconds": 1500,
            "fetchMilliseconds": 2000,
            "buildMilliseconds": 30000,
            "pushMilliseconds": 4000,
            "totalMilliseconds": 40000,
        },
        "cache": {"hits": 5, "misses": 2},
        "images": [
            {"reference": "a:1", "digest": DIGEST, "sizeBytes": 1000},
            {"reference": "b:1", "digest": DIGEST, "sizeBytes": 1000},
            {"reference": "c:1", "digest": OTHER_DIGEST},
        ],
    }
    assert observations(a_build(status=STARTED), written) == (
        Observation(ATTEMPTS_FINISHED, ("",)),
        Observation(BUILDS_FINISHED, ("succeeded", "")),
        Observation(BUILD_DURATION, ("succeeded",), 40.0),
        Observation(PHASE_DURATION, ("scheduled",), 0.5),
        Observation(PHASE_DURATION, ("pulled",), 1.5),
        Observation(PHASE_DURATION, ("fetched",), 2.0),
        Observation(PHASE_DURATION, ("built",), 30.0),
        Observation(PHASE_DURATION, ("pushed",), 4.0),
        Observation(CACHE_LOOKUPS, ("hit",), 5),
        Observation(CACHE_LOOKUPS, ("miss",), 2),
        Observation(IMAGE_SIZE, (), 1000),
    )


def test_the_wait_is_observed_once_the_build_has_begun():
    begun = {"phase": "Preparing", "startTime": "2026-11-24T08:00:12Z"}
    assert observations(a_build(status={"phase": "Queued"}), begun) == (Observation(QUEUE_WAIT, (), 12.0),)
    assert observations(a_build(status=begun), {"phase": "Building"}) == ()


def test_each_attempt_is_counted_when_it_is_added():
    first = {"podName": "p", "reason": "Evicted"}
    build = a_build(status={**STARTED, "attempts": [first]})
    retried = {"phase": "Pending", "attempts": [first, {"podName": "q", "reason": "NodeLost"}]}
    assert observations(build, retried) == (Observation(ATTEMPTS_FINISHED, ("NodeLost",)),)


def test_attempts_of_each_platform_are_counted():
    lost, won = {"podName": "p", "reason": "NodeLost"}, {"podName": "q"}
    build = a_build(status={"phase": "Building", "platforms": [{"platform": "linux/amd64", "attempts": [lost]}]})
    platforms = [
        {"platform": "linux/amd64", "attempts": [lost, won]},
        {"platform": "linux/arm64", "attempts": [lost]},
    ]
    assert observations(build, {"platforms": platforms}) == (
        Observation(ATTEMPTS_FINISHED, ("",)),
        Observation(ATTEMPTS_FINISHED, ("NodeLost",)),
    )


def test_a_finished_build_is_counted_no_more():
    status = {"phase": "Failed", "reason": "Internal", "startTime": "2026-11-24T08:00:03Z"}
    assert observations(a_build(status=status), {"phase": "Failed", "message": "other words"}) == ()


def test_a_build_that_never_began_is_counted_by_its_reason():
    written = {"phase": "Cancelled", "reason": "Cancelled", "timings": None}
    assert observations(a_build(), written) == (Observation(BUILDS_FINISHED, ("cancelled", "Cancelled")),)


@given(
    st.lists(
        st.one_of(
            st.builds(
                lambda code, message: a_pod(phase="Failed", build=ended(code, message)), st.integers(1, 255), st.text()
            ),
            st.just(a_pod(phase="Succeeded", build=ended(0), push=ended(0, f'{{"digest": "{DIGEST}"}}'))),
            st.just(a_pod(deletion=after(30))),
            st.just(a_pod(unschedulable="0/1 nodes")),
        ),
        max_size=8,
    ),
    st.integers(0, 3),
)
def test_whatever_happens_a_build_is_counted_once_and_each_change_is_told_once(pods: list[PodFacts], limit: int):
    """Through the core's own decisions: what `decide` says is what is written."""
    build, counted, ends = a_build({"retry": {"limit": limit}}), [], 0
    before: tuple[object, object] = (None, None)
    for number, pod in enumerate([*pods, *pods]):
        plan = decide(ReconcileInput(build, [pod], SETTINGS, after(60 * number), admission=BEGIN))
        if plan.status is None:
            continue
        counted += [o for o in observations(build, plan.status) if o.metric is BUILDS_FINISHED]
        build = a_build({"retry": {"limit": limit}}, {**build.status, **plan.status})
        ends += build.is_finished
        stands = (build.status.get("phase"), build.status.get("reason"))
        # One Event for one change, whose reason the docs have a row for.
        assert len([event for event in plan.events if event.reason != BUILD_WARNING]) == (stands != before)
        assert {event.reason for event in plan.events} <= {*EVENTS, *Reason}
        before = stands
    assert len(counted) == min(ends, 1)
    for observation in counted:
        assert observation.labels in ENDINGS


def test_every_result_is_a_final_phase():
    assert {result for result, _ in ENDINGS} == {phase.lower() for phase in Phase if phase.is_final}
