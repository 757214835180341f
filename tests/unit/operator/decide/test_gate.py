from datetime import datetime

import pytest
from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.gate import MAX_POSITIONS, Gate
from imagebuild_operator.decide.plan import DeletePod, Plan
from imagebuild_operator.decide.queue import BEGIN, SUSPENDED, Admission
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.pod.manifest import pod_name
from imagebuild_operator.settings import Limits
from support.builds import SETTINGS, a_build, a_pod, after, running

STARTED = {"startTime": "2026-11-24T08:00:00Z"}


def builds(count: int, namespace: str = "team", **spec: object) -> list[ImageBuild]:
    return [
        a_build(
            spec,
            namespace=namespace,
            name=f"b{number}",
            uid=f"{namespace}-{number}",
            creationTimestamp=f"2026-11-24T08:{number // 60:02d}:{number % 60:02d}Z",
        )
        for number in range(count)
    ]


def names(gate: Gate, waiting: list[ImageBuild], now: datetime, begun: int = 0) -> list[str]:
    decision = gate.decide([(build, place < begun) for place, build in enumerate(waiting)], now)
    return [key.name for key in (*decision.due, *decision.waiting)]


def test_without_limits_everybody_may_begin_at_once():
    gate = Gate(Limits())
    assert not gate.concerns("team", {})
    assert gate.concerns("team", {"concurrency": {"group": "main", "policy": "Serial"}})
    assert gate.admission(a_build()) == BEGIN
    assert gate.admission(a_build({"suspend": True})) == SUSPENDED


def test_the_first_may_begin_and_the_others_are_told_why_not_once():
    gate, waiting = Gate(Limits(cluster=2)), builds(30)
    assert gate.admission(waiting[0]) is None
    assert names(gate, waiting, after(0)) == [f"b{number}" for number in range(30)]
    assert [gate.admission(build) for build in waiting[:2]] == [BEGIN, BEGIN]
    third, last = gate.admission(waiting[2]), gate.admission(waiting[-1])
    assert third is not None
    assert (third.reason, third.position) == (Reason.CLUSTER_LIMIT, 1)
    assert last is not None
    assert (last.reason, last.position) == (Reason.CLUSTER_LIMIT, None)
    assert names(gate, waiting, after(1)) == []


def test_whoever_was_let_in_keeps_its_place_until_it_shows():
    gate, waiting = Gate(Limits(cluster=1)), builds(3)
    names(gate, waiting, after(0))
    names(gate, waiting, after(1))
    assert gate.admission(waiting[1]) != BEGIN
    names(gate, waiting, after(2), begun=1)
    assert gate.admission(waiting[1]) != BEGIN
    assert names(gate, waiting[1:], after(3)) == ["b1"]
    assert gate.admission(waiting[1]) == BEGIN


def test_places_are_told_again_only_every_ten_seconds_and_only_to_the_first():
    gate, waiting = Gate(Limits(cluster=1)), builds(100)
    names(gate, waiting, after(0))
    assert names(gate, waiting[1:], after(5)) == ["b1"]
    told = names(gate, waiting[2:], after(11))
    assert told == [f"b{number}" for number in range(2, 4 + MAX_POSITIONS - 1)]
    second = gate.admission(waiting[3])
    assert second is not None
    assert second.position == 1


def test_a_namespace_without_room_lets_others_go_first():
    gate = Gate(Limits(cluster=1))
    first, other = builds(1), builds(1, "zebra")
    names(gate, [*first, *other], after(0))
    assert gate.admission(first[0]) == BEGIN
    gate.refused(first[0], Reason.QUOTA_EXCEEDED, after(1))
    assert gate.is_stale
    decision = gate.decide([(build, False) for build in (*first, *other)], after(1))
    assert (gate.is_stale, decision.requeue_after) == (False, 9)
    assert gate.admission(other[0]) == BEGIN
    names(gate, first, after(12))
    assert gate.admission(first[0]) == BEGIN


def test_a_build_whose_pod_is_not_taken_lets_others_go_first_and_keeps_its_own_reason():
    gate = Gate(Limits(cluster=1))
    first, second = builds(2)
    names(gate, [first, second], after(0))
    gate.refused(first, Reason.SERVICE_ACCOUNT_NOT_FOUND, after(1))
    names(gate, [first, second], after(1))
    assert gate.admission(second) == BEGIN
    refused = a_build(first.spec, {"phase": "Pending", "reason": "ServiceAccountNotFound"}, uid=first.uid)
    assert gate.admission(first) not in {BEGIN, None}
    plan = decide(ReconcileInput(refused, [], SETTINGS, after(2), admission=gate.admission(first)))
    assert plan == Plan(requeue_after=SETTINGS.max_wait)
    names(gate, [first], after(12))
    assert gate.admission(first) == BEGIN


def test_whoever_is_suspended_cancelled_or_going_takes_no_place():
    gate, last = Gate(Limits(cluster=1)), builds(1, "other")
    idle = [*builds(1, suspend=True), *builds(1, cancel=True)]
    assert names(gate, [*idle, *last], after(0)) == ["b0"]
    assert gate.admission(last[0]) == BEGIN


def test_an_undecided_build_calls_for_a_decision():
    gate, (build,) = Gate(Limits(cluster=1)), builds(1)
    assert gate.admission(a_build(status=STARTED)) is None
    assert not gate.is_stale
    assert gate.admission(build) is None
    assert gate.is_stale


def test_a_build_of_the_same_name_is_another_build():
    gate, (build,) = Gate(Limits(cluster=1)), builds(1)
    names(gate, [build], after(0))
    assert gate.admission(build) == BEGIN
    assert gate.admission(a_build(namespace=build.namespace, name=build.name, uid="another")) is None


def test_a_newer_build_of_the_group_takes_the_place_of_those_that_wait():
    gate = Gate(Limits())
    first, second, third = builds(3, concurrency={"group": "main", "policy": "Latest"})
    names(gate, [first], after(0))
    assert gate.admission(first) == BEGIN
    assert names(gate, [first, second], after(1), begun=1) == ["b1"]
    assert gate.admission(second) == Admission(
        Reason.GROUP_BUSY, "Waiting for build b0 of the same concurrency group.", 1
    )
    assert sorted(names(gate, [first, second, third], after(2), begun=1)) == ["b1", "b2"]
    made = decide(ReconcileInput(second, [], SETTINGS, after(2), admission=gate.admission(second)))
    status = made.status or {}
    assert (status["phase"], status["reason"]) == ("Cancelled", "Superseded")
    assert status["message"] == (
        "The newer build b2 of the same concurrency group superseded the build. Look at the newer build."
    )
    assert names(gate, [third], after(3)) == ["b2"]
    assert gate.admission(third) == BEGIN


@pytest.mark.parametrize("uids", [("a", "b"), ("b", "a")])
def test_of_two_builds_of_one_second_the_one_seen_later_is_newer_and_stays_it(uids: tuple[str, str]):
    gate = Gate(Limits())
    spec = {"concurrency": {"group": "main", "policy": "LatestCancelRunning"}}
    first, second = (a_build(spec, name=uid, uid=uid) for uid in uids)
    names(gate, [first], after(0))
    names(gate, [second, first], after(0))
    newer = gate.admission(second)
    assert newer is not None
    assert newer.reason is Reason.GROUP_BUSY
    # Neither a refused pod nor a begun one changes which is the older.
    gate.refused(first, Reason.QUOTA_EXCEEDED, after(1))
    names(gate, [second, first], after(1))
    restarted = Gate(Limits())
    names(restarted, [first, second], after(1), begun=1)
    for each in (gate, restarted):
        admission = each.admission(first)
        assert admission is not None
        assert admission.reason is Reason.SUPERSEDED


def test_a_running_build_that_is_replaced_is_stopped_and_stays_so_although_the_newer_has_ended():
    gate = Gate(Limits())
    first, second = builds(2, concurrency={"group": "main", "policy": "LatestCancelRunning"})
    pod = a_pod(phase="Running", build=running(), owner_uid=first.uid, name=pod_name(first))
    names(gate, [first, second], after(0), begun=1)
    made = decide(ReconcileInput(first, [pod], SETTINGS, after(1), admission=gate.admission(first)))
    assert made.delete == (DeletePod(pod.name, "pod-1"),)
    assert (made.status or {})["reason"] == "Superseded"
    assert gate.admission(second) != BEGIN
    status = {"phase": "Building", "reason": "Superseded", "podName": pod.name, "startTime": "2026-11-24T08:00:00Z"}
    made = decide(ReconcileInput(a_build(first.spec, status, uid=first.uid), [], SETTINGS, after(2), admission=None))
    assert ((made.status or {})["phase"], (made.status or {}).get("reason")) == ("Cancelled", None)


def test_the_status_of_a_build_that_waits():
    gate, waiting = Gate(Limits(cluster=1)), builds(2)
    names(gate, waiting, after(0))
    build = waiting[1]
    made = decide(ReconcileInput(build, [], SETTINGS, after(0), admission=gate.admission(build)))
    message = "Waiting: the cluster runs its limit of 1 build."
    assert made.create == ()
    status = made.status or {}
    assert (status["phase"], status["reason"], status["queue"]) == (
        "Queued",
        "ClusterLimit",
        {"position": 1, "message": message},
    )
    assert status["conditions"][2] == {
        "type": "Waiting",
        "status": "True",
        "reason": "ClusterLimit",
        "message": "",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-24T08:00:00Z",
    }
    [event] = made.events
    assert (event.type, event.reason) == ("Normal", "ClusterLimit")
    assert decide(ReconcileInput(build, [], SETTINGS, after(0), admission=None)).status is None


def test_a_build_that_has_begun_keeps_its_turn_for_every_attempt():
    build = a_build({"suspend": True}, {**STARTED, "attempts": [{"podName": "gone", "reason": "Evicted"}]})
    assert decide(ReconcileInput(build, [], SETTINGS, after(5), admission=SUSPENDED)).create
    assert (
        decide(ReconcileInput(a_build({"suspend": True}), [], SETTINGS, after(5), admission=SUSPENDED)).status or {}
    )["phase"] == "Queued"
