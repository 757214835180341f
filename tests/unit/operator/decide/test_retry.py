import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.api.build import ImageBuild, RetrySpec
from imagebuild_operator.api.quantity import multiply
from imagebuild_operator.api.reason_rows import Retry
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.time import format_time, parse_time
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.plan import DeletePod, Plan
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.decide.retry import MAX_DELAY, MAX_DISRUPTIONS, is_tried_again, retry_delay
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.pod.manifest import pod_name
from support.builds import POD, SETTINGS, START, a_build, a_pod, after, ended, recorded, running

SECOND_POD = pod_name(a_build(), 2)
UNAVAILABLE = ended(80, json.dumps({"reason": "RegistryUnavailable", "message": "registry.example did not answer."}))


def plan(build: ImageBuild, *pods: PodFacts, at: float = 61) -> Plan:
    return decide(ReconcileInput(build, pods, SETTINGS, after(at)))


def attempts(*reasons: Reason) -> list[dict[str, Any]]:
    return [{"podName": f"pod-{number}", "reason": str(reason)} for number, reason in enumerate(reasons)]


def test_an_infrastructure_failure_is_tried_again_in_a_pod_of_its_own():
    first = a_pod(phase="Failed", node="node1", build=UNAVAILABLE)
    build = recorded(a_build(), plan(a_build(), a_pod(phase="Running", node="node1", build=running())))
    made = plan(build, first)
    assert made.status is not None
    assert made.requeue_after is not None
    assert made.delete == ()
    again = format_time(after(61 + made.requeue_after))
    assert (made.status["phase"], made.status["reason"]) == ("Pending", "RegistryUnavailable")
    assert made.status["message"].startswith(
        f"Attempt 1 failed: registry.example did not answer. Attempt 2 starts at {again}."
    )
    assert "completionTime" not in made.status
    entry = {
        "podName": POD,
        "node": "node1",
        "reason": "RegistryUnavailable",
        "message": "registry.example did not answer.",
        "exitCode": 80,
        "startTime": "2026-11-24T08:00:00Z",
        "completionTime": "2026-11-24T08:01:00Z",
    }
    assert made.status["attempts"] == [entry]
    build = recorded(build, made)
    waits = plan(build, first, at=62)
    assert waits == Plan(requeue_after=waits.requeue_after)
    assert waits.requeue_after == pytest.approx(made.requeue_after - 1)
    begins = plan(build, first, at=61 + made.requeue_after)
    assert [create.name for create in begins.create] == [SECOND_POD]
    assert begins.create[0].manifest["spec"]["activeDeadlineSeconds"] == 600 - int(61 + made.requeue_after)
    second = a_pod(name=SECOND_POD, uid="pod-2", created=after(75), phase="Running", build=running(80))
    made = plan(build, first, second, at=81)
    assert made.status is not None
    assert (made.status["phase"], made.status["podName"]) == ("Building", SECOND_POD)
    assert (build.status["attemptCount"], made.status["attemptCount"]) == (1, 2)
    assert (made.status["reason"], made.status["node"]) == (None, None)
    assert "startTime" not in made.status
    build = recorded(build, made)
    failed = a_pod(name=SECOND_POD, uid="pod-2", created=after(75), phase="Failed", build=ended(7, "log", end=90))
    made = plan(recorded(build, plan(build, first, failed, at=91)), first, failed, at=400)
    assert [create.name for create in made.create] == [pod_name(build, 3)]


def test_the_end_of_an_attempt_that_is_still_to_come_by_our_clock_delays_nothing():
    entry = {**attempts(Reason.NODE_LOST)[0], "completionTime": format_time(after(300))}
    build = a_build({}, {"startTime": format_time(START), "attempts": [entry]})
    assert plan(build, at=60).create
    # A second or two are no other clock's.
    soon = a_build(
        {}, {"startTime": format_time(START), "attempts": [{**entry, "completionTime": format_time(after(62))}]}
    )
    wait = plan(soon, at=60).requeue_after
    assert wait is not None
    assert wait == pytest.approx(retry_delay(build.uid, 1, SETTINGS.retry_delay) + 2)


@pytest.mark.shows("F19")
@pytest.mark.parametrize("told", [-3600, 3600])
@pytest.mark.parametrize("reason", [Reason.RUN_COMMAND_FAILED, Reason.REGISTRY_UNAVAILABLE])
def test_an_end_that_cannot_be_by_the_nodes_clock_is_now(told: float, reason: Reason):
    told_by_node = ended(1, json.dumps({"reason": reason, "message": "Said."}), start=told - 50, end=told)
    made = plan(a_build(), a_pod(phase="Failed", build=told_by_node))
    assert made.status is not None
    [ends] = made.status.get("attempts") or [made.status]
    assert ends["completionTime"] == format_time(after(61))


def test_the_limit_ends_it_with_the_last_failure_and_all_attempts():
    build = a_build(
        {"retry": {"limit": 1}}, {"startTime": "2026-11-24T08:00:00Z", "attempts": attempts(Reason.INTERNAL)}
    )
    made = plan(build, a_pod(name=SECOND_POD, phase="Failed", build=UNAVAILABLE))
    assert made.status is not None
    assert (made.status["phase"], made.status["failure"]["reason"]) == ("Failed", "RegistryUnavailable")
    assert [entry["podName"] for entry in made.status["attempts"]] == ["pod-0", SECOND_POD]


def test_a_users_mistake_is_not_tried_again():
    report = json.dumps({"reason": "RunCommandFailed", "message": "RUN make failed."})
    made = plan(a_build(), a_pod(phase="Failed", build=ended(2, report)))
    assert made.status is not None
    assert made.status["phase"] == "Failed"


def test_a_pod_that_is_gone_is_made_anew_and_its_going_does_not_taint_the_next():
    build = a_build(
        status={"phase": "Building", "reason": "Evicted", "podName": POD, "startTime": "2026-11-24T08:00:00Z"}
    )
    build = recorded(build, plan(build))
    assert [(entry["podName"], entry["reason"]) for entry in build.attempts] == [(POD, "Evicted")]
    report = ended(7, json.dumps({"reason": "RunCommandFailed", "message": "RUN make failed."}))
    made = plan(build, a_pod(name=SECOND_POD, phase="Failed", build=report))
    assert made.status is not None
    assert made.status["failure"]["reason"] == "RunCommandFailed"


def test_no_attempt_begins_that_the_timeout_leaves_no_time_for():
    build = a_build({"timeoutSeconds": 62})
    made = plan(build, a_pod(phase="Failed", build=UNAVAILABLE))
    assert made.status is not None
    assert made.status["phase"] == "Failed"
    assert made.status["failure"]["reason"] == "RegistryUnavailable"
    assert made.status["message"].endswith("The timeout leaves no time for another attempt.")
    late = a_build(
        status={"reason": "Evicted", "startTime": "2026-11-24T08:00:00Z", "attempts": attempts(Reason.EVICTED)}
    )
    made = plan(late, at=600)
    assert made.status is not None
    assert (made.status["phase"], made.status["failure"]["reason"]) == ("Failed", "Evicted")


def test_a_pod_of_an_earlier_attempt_does_not_run_on():
    entry = {"podName": POD, "reason": "BuilderImagePullFailed", "completionTime": "2026-11-24T08:00:00Z"}
    build = a_build(status={"startTime": "2026-11-24T08:00:00Z", "attempts": [entry]})
    second = a_pod(name=SECOND_POD, uid="pod-2", phase="Running", build=running())
    assert plan(build, a_pod(), second).delete == (DeletePod(POD, "pod-1"),)
    assert plan(a_build(), a_pod(), a_pod(name="of a newer attempt than is known")).delete == ()


@pytest.mark.shows("F14")
def test_more_memory_is_given_only_after_it_ran_out():
    spec = {
        "retry": {"memoryPercent": 150},
        "resources": {"requests": {"memory": "1Gi", "cpu": 1}, "limits": {"memory": "2G"}},
    }
    status = {"attempts": attempts(Reason.OUT_OF_MEMORY, Reason.EVICTED, Reason.OUT_OF_MEMORY)}
    made = plan(a_build(spec, status))
    assert made.create[0].manifest["spec"]["initContainers"][-1]["resources"] == {
        "requests": {"memory": "2415919104", "cpu": 1},
        "limits": {"memory": "4500000000"},
    }
    out_of_memory = ended(137, reason="OOMKilled")
    assert (plan(a_build(spec), a_pod(phase="Failed", build=out_of_memory)).status or {})["phase"] == "Pending"
    assert (plan(a_build(), a_pod(phase="Failed", build=out_of_memory)).status or {})["phase"] == "Failed"


@pytest.mark.parametrize(
    ("kills", "expected"),
    [
        # The counter of the container's cgroup is exact; without it, the kubelet is believed.
        ({"memory": {"oomKills": 0}}, "Internal"),
        ({"memory": {"oomKills": 1}}, "OutOfMemory"),
        ({}, "OutOfMemory"),
        ({"memory": {"oomKills": "none"}}, "OutOfMemory"),
    ],
)
def test_a_container_that_the_kernel_never_killed_for_memory_did_not_run_out_of_it(
    kills: dict[str, object], expected: str
):
    report = json.dumps({"reason": "Internal", "message": "The executor was killed (SIGKILL).", **kills})
    killed = ended(84, report, reason="OOMKilled")
    status = plan(a_build({"retry": {"limit": 0}}), a_pod(phase="Failed", build=killed)).status or {}
    assert status["reason"] == expected


@pytest.mark.parametrize(
    ("quantity", "factor", "product"),
    [
        ("512Mi", 2.0, "1024Mi"),
        ("1Gi", 1.5, "1610612736"),
        (1000, 1.25, "1250"),
        ("1.5e3", 3.0, "4500"),
        ("100m", 2, "200m"),
    ],
)
def test_quantities_are_multiplied(quantity: object, factor: float, product: str):
    assert multiply(quantity, factor) == product


def test_memory_that_is_no_quantity_fails_the_build():
    spec = {"retry": {"memoryPercent": 200}, "resources": {"limits": {"memory": "lots"}}}
    made = plan(a_build(spec, {"attempts": attempts(Reason.OUT_OF_MEMORY)}))
    assert (made.status or {})["reason"] == "InvalidSpec"


def test_what_is_no_quantity_is_refused():
    with pytest.raises(ValueError, match="no quantity"):
        multiply("lots", 2.0)


@given(st.lists(st.sampled_from(sorted(Reason)), min_size=1, max_size=40), st.integers(0, 5), st.booleans())
def test_no_build_is_tried_for_ever(reasons: list[Reason], limit: int, more_memory: bool):  # noqa: FBT001
    retry = RetrySpec(limit, 200 if more_memory else None)
    made: list[dict[str, Any]] = []
    for reason in reasons:
        made += attempts(reason)
        if not is_tried_again(reason, retry, made):
            break
    assert len(made) <= (limit + 1 + MAX_DISRUPTIONS if limit else 1)
    ends = [Reason(entry["reason"]).row.retry for entry in made[:-1]]
    assert Retry.NEVER not in ends
    assert ends.count(Retry.LIMITED) + ends.count(Retry.MORE_MEMORY) <= limit


@given(st.uuids().map(str), st.integers(1, 1000))
def test_delays_double_up_to_a_bound_and_are_the_same_for_the_same_attempt(uid: str, number: int):
    delay = retry_delay(uid, number, 10.0)
    assert delay == retry_delay(uid, number, 10.0)
    whole = min(MAX_DELAY, 10.0 * 2.0 ** min(number - 1, 30))
    assert 0.75 * whole <= delay <= 1.25 * whole


@given(st.sampled_from(sorted(Reason)), st.integers(0, 12), st.floats(0, 4000))
def test_whatever_happens_the_next_attempt_is_the_number_of_those_recorded(reason: Reason, count: int, at: float):
    """A crash at any point loses nothing: status and pods alone say which attempt comes next."""
    past = [{"podName": f"p{n}", "reason": "Evicted", "completionTime": "2026-11-24T08:00:00Z"} for n in range(count)]
    build = a_build({"timeoutSeconds": 7200}, {"attempts": past, "startTime": "2026-11-24T08:00:00Z"})
    made = plan(build, at=at)
    if made.create:
        assert [create.name for create in made.create] == [pod_name(build, count + 1)]
    pod = a_pod(name=pod_name(build, count + 1), phase="Failed", build=ended(1, json.dumps({"reason": str(reason)})))
    status = plan(build, pod, at=at).status
    assert status is not None
    assert len(status["attempts"]) == count + 1
    assert status["attempts"][:-1] == past
    assert (parse_time(status["attempts"][-1]["completionTime"]) or START) <= after(at)
