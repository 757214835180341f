from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.cache.keys import Sweep
from imagebuild_operator.cache.store import Store
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.plan import DeletePod, Plan
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.decide.retention import Finished, expired, finished, is_leftover
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.settings import History, KeepPods
from support.builds import POD, SETTINGS, UID, a_build, a_pod, after, body, ended, running

DONE = {"phase": "Succeeded", "completionTime": "2026-11-24T08:01:00Z"}
GONE = {"ttlSecondsAfterFinished": 5}
RULES = [(History(), None), (History(), 60), (History(succeeded=3), None), (History(failed=3), None)]
OK = a_pod(phase="Succeeded", build=ended(0), push=ended(0))
BAD = a_pod(phase="Failed", build=ended(1))


def old(name: str, age: int, *, ttl: int | None = None, has_succeeded: bool = True) -> Finished:
    return Finished("team", name, UID, 1, has_succeeded, after(-age), ttl)


def names(builds: list[Finished]) -> list[str]:
    return sorted(build.name for build in builds)


def test_every_finished_build_is_a_record_and_it_says_which_rules_may_delete_it():
    assert finished(a_build({"ttlSecondsAfterFinished": 5})) is None
    record = finished(a_build(status=DONE))
    assert record == Finished("team", "app", UID, version=5, has_succeeded=True, completed=after(60), ttl=None)
    assert [record.may_expire(*rules) for rules in RULES] == [False, True, True, False]
    cancelled = finished(a_build(status={**DONE, "phase": "Cancelled"}))
    assert cancelled is not None
    assert [cancelled.may_expire(*rules) for rules in RULES] == [False, True, False, True]
    own = finished(a_build({"ttlSecondsAfterFinished": 5}, DONE))
    assert own is not None
    assert (own.ttl, own.may_expire(History(), None)) == (5, True)


def test_a_build_goes_when_its_time_is_over():
    builds = [old("a", 10, ttl=10), old("b", 10, ttl=30), old("c", 10, ttl=0), old("d", 10)]
    gone, wait = expired(builds, History(), None, after(0))
    assert (names(gone), wait) == (["a", "c"], 20)
    assert expired([], History(), 5, after(0)) == ([], None)


def test_the_newest_of_each_kind_stay():
    builds = [old(f"ok-{age}", age) for age in (1, 2, 3)] + [
        old(f"bad-{age}", age, has_succeeded=False) for age in (1, 2)
    ]
    gone, wait = expired(builds, History(succeeded=2, failed=0), None, after(0))
    assert (names(gone), wait) == (["bad-1", "bad-2", "ok-3"], None)


@given(
    st.lists(st.tuples(st.integers(0, 99), st.none() | st.integers(0, 99), st.booleans()), max_size=30),
    st.none() | st.integers(0, 5),
    st.none() | st.integers(0, 5),
    st.none() | st.integers(0, 99),
    st.data(),
)
def test_a_part_of_the_builds_never_costs_one_that_the_whole_would_keep(
    made: list[tuple[int, int | None, bool]],
    succeeded: int | None,
    failed: int | None,
    default: int | None,
    data: st.DataObject,
):
    builds = [old(f"b{n}", age, ttl=ttl, has_succeeded=ok) for n, (age, ttl, ok) in enumerate(made)]
    history = History(succeeded, failed)
    gone = set(expired(builds, history, default, after(0))[0])
    part = [build for build in builds if data.draw(st.booleans())]
    assert set(expired(part, history, default, after(0))[0]) <= gone
    kept = [build for build in builds if build not in gone]
    for has_succeeded in (True, False):
        limit = history.limit(has_succeeded=has_succeeded)
        assert limit is None or sum(build.has_succeeded is has_succeeded for build in kept) <= limit
    assert expired(kept, history, default, after(0))[0] == []


@pytest.mark.parametrize(
    ("keep", "pod", "goes"),
    [
        (KeepPods.NONE, OK, True),
        (KeepPods.NONE, BAD, True),
        (KeepPods.FAILED, OK, True),
        (KeepPods.FAILED, BAD, False),
        (KeepPods.ALL, OK, False),
        (KeepPods.ALL, BAD, False),
        (KeepPods.ALL, a_pod(build=running()), True),
        (KeepPods.NONE, replace(OK, deletion=after(1)), False),
    ],
)
def test_pods_stay_as_the_setting_says_and_none_runs_on(keep: KeepPods, pod: PodFacts, goes: bool):  # noqa: FBT001
    assert is_leftover(pod, keep) is goes
    made = decide(ReconcileInput(a_build(status=DONE), [pod], replace(SETTINGS, keep_pods=keep), after(90)))
    assert made == Plan(delete=(DeletePod(POD, "pod-1"),) if goes else ())


def test_a_pod_goes_with_the_record_of_its_result_and_not_before():
    failed = ended(1, '{"reason": "RunCommandFailed"}')
    made = decide(ReconcileInput(a_build(), [a_pod(phase="Failed", build=failed)], SETTINGS, after(90)))
    assert (made.status or {})["phase"] == "Failed"
    assert made.delete == ()
    settings = replace(SETTINGS, keep_pods=KeepPods.NONE)
    made = decide(ReconcileInput(a_build(), [a_pod(phase="Failed", build=failed)], settings, after(90)))
    assert (made.status or {})["phase"] == "Failed"
    assert made.delete == (DeletePod(POD, "pod-1"),)
    assert decide(ReconcileInput(a_build(), [a_pod(build=running())], settings, after(90))).delete == ()


def a_pod_body(**status: object) -> dict[str, object]:
    reference = {"kind": "ImageBuild", "name": "app", "uid": UID, "controller": True}
    metadata = {"namespace": "team", "name": POD, "uid": "pod-1", "ownerReferences": [reference]}
    return {"metadata": {**metadata, "creationTimestamp": "2026-11-24T08:00:00Z"}, "status": status}


def test_the_store_keeps_nothing_of_a_finished_build_but_its_record():
    key = BuildKey("team", "app")
    store = Store()
    assert store.put_pod(a_pod_body(phase="Failed")) is None
    assert not store.has_pods(key)
    store.put_build(body())
    assert store.put_pod(a_pod_body(phase="Failed")) == key
    assert store.put_build(body(status=DONE, resourceVersion="6")) == []
    assert not store.has_pods(key)
    assert store.build(key) is None
    assert [build.uid for build in store.finished.of("team")] == [UID]


def test_the_store_holds_a_finished_build_whose_pod_must_go():
    key = BuildKey("team", "app")
    store = Store()
    assert store.put_pod(a_pod_body(phase="Running")) == key
    assert store.put_build(body(status=DONE)) == [key]
    store.tidy(key)
    assert store.build(key) is not None
    assert store.put_pod(a_pod_body(phase="Failed")) == key
    assert store.build(key) is None
    assert not store.has_pods(key)


def test_a_finished_build_whose_spec_has_changed_is_held_until_that_is_recorded():
    key = BuildKey("team", "app")
    store = Store()
    changed = body(status={**DONE, "observedGeneration": 1}, generation=2)
    assert store.put_build(changed) == [key]
    # The end of an earlier reconcile of it.
    store.tidy(key)
    assert store.build(key) is not None
    store.drop_build(key, "earlier")
    assert store.build(key) is not None


def test_a_build_with_a_time_to_live_is_swept():
    store = Store()
    gone = body(GONE, DONE)
    assert store.put_build(gone) == [Sweep("team")]
    assert [build.name for build in store.finished.of("team")] == ["app"]
    assert store.put_build(body(status=DONE, resourceVersion="6")) == []
    assert [build.ttl for build in store.finished.of("team")] == [None]
    store.drop_build(BuildKey("team", "app"), UID)
    store.put_pod(a_pod_body(phase="Running"))
    store.put_build(body(GONE, resourceVersion="4"))
    for _ in range(2):  # written, and seen by the watch
        assert Sweep("team") in store.put_build(gone)
    assert store.put_build(body(resourceVersion="4")) == []
    assert store.finished.of("team") != ()
    store.drop_build(BuildKey("team", "app"), UID)
    assert store.finished.of("team") == ()
