from datetime import timedelta
from typing import Any

import pytest
from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.cache.keys import Sweep
from imagebuild_operator.cache.store import Store
from imagebuild_vocabulary.names import KIND
from support.builds import START, UID, a_build, body

KEY = BuildKey("team", "app")
FINISHED = {"phase": "Succeeded", "completionTime": "2026-11-24T08:10:00Z"}


def pod_body(name: str = "app-1", uid: str = "pod-1", version: str = "1", phase: str = "Running") -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "team",
            "name": name,
            "uid": uid,
            "resourceVersion": version,
            "creationTimestamp": "2026-11-24T08:00:00Z",
            "ownerReferences": [{"kind": KIND, "name": "app", "uid": UID, "controller": True}],
        },
        "status": {"phase": phase},
    }


@pytest.mark.shows("F4")
def test_what_a_list_does_not_hold_is_forgotten():
    store = Store()
    store.put_build(body(name="gone", uid="gone"))
    store.put_pod(pod_body())
    with store.relist() as relist:
        relist.build(body())
    assert store.known_keys() == [KEY]
    assert not store.has_pods(KEY)


def test_what_the_watch_has_shown_since_a_list_was_read_is_newer_than_the_list():
    store = Store()
    store.put_build(body())
    store.put_pod(pod_body())
    with store.relist() as relist:
        store.put_build(body(name="new", uid="new"))
        store.drop_build(KEY, UID)
        relist.build(body())
        store.remove_pod(pod_body())
        relist.pod(pod_body())
    assert store.known_keys() == [BuildKey("team", "new")]


def test_an_error_half_way_forgets_nothing():
    store = Store()
    store.put_build(body())
    with pytest.raises(KeyError), store.relist() as relist:
        relist.build({})
    assert store.known_keys() == [KEY]


def test_an_older_body_of_a_pod_changes_nothing():
    store = Store()
    store.put_build(body())
    store.put_pod(pod_body(version="10", phase="Succeeded"))
    assert store.put_pod(pod_body(version="9")) is None
    build = store.build(KEY)
    assert build
    assert [pod.phase for pod in store.pods(build)] == ["Succeeded"]


def test_the_answer_to_a_deletion_changes_a_pod_that_is_held_and_brings_none_back():
    store = Store()
    store.put_build(body())
    store.put_pod(pod_body(version="10"))
    deleted = pod_body(version="11")
    deleted["metadata"]["deletionTimestamp"] = "2026-11-24T08:05:00Z"
    store.update_pod(deleted)
    build = store.build(KEY)
    assert build
    assert [pod.is_deleting for pod in store.pods(build)] == [True]
    store.remove_pod(deleted)
    store.update_pod(deleted)
    assert store.pods(build) == ()


def test_a_build_of_a_later_uid_outlives_the_end_of_an_earlier_one():
    store = Store()
    store.put_build(body(uid="later"))
    store.drop_build(KEY, "earlier")
    assert store.known_keys() == [KEY]


def test_a_finished_build_is_forgotten_with_its_last_leftover_whoever_saw_to_that():
    store = Store()
    store.put_pod(pod_body())
    store.put_build(body(status=FINISHED))
    assert store.known_keys() == [KEY, Sweep("team")]
    store.remove_pod(pod_body())
    assert store.known_keys() == [Sweep("team")]


def test_what_is_older_than_the_record_of_a_finished_build_does_not_bring_it_back():
    store = Store()
    store.put_build(body())
    store.put_build(body({"ttlSecondsAfterFinished": 60}, FINISHED, resourceVersion="6"))
    assert store.put_build(body(resourceVersion="5")) == []
    assert store.build(KEY) is None
    assert store.remove_build(body(resourceVersion="5")) == []
    assert [record.name for record in store.finished.of("team")] == ["app"]
    store.remove_build(body(resourceVersion="7"))
    assert not store.finished.of("team")


def test_what_has_left_the_watch_unseen_is_asked_for_where_it_has_pods():
    store = Store()
    store.put_build(body())
    store.put_pod(pod_body())
    assert store.remove_build(body(resourceVersion="6")) == [KEY]
    assert store.build(KEY) is None


def test_a_finished_build_is_a_record_of_one_uid():
    store = Store()
    store.put_build(body({"ttlSecondsAfterFinished": 60}, FINISHED))
    assert store.known_keys() == [Sweep("team")]
    store.finished.drop(KEY, "another")
    assert store.finished.of("team")
    store.finished.drop(KEY, UID)
    assert not store.finished.of("team")


def test_a_finished_build_whose_leftover_is_seen_later_is_held_again_once_it_is_read():
    store = Store()
    assert store.put_build(body(status=FINISHED)) == []
    assert store.put_pod(pod_body()) == KEY
    assert store.put_build(body(status=FINISHED)) == [KEY]
    assert store.build(KEY) is not None


@pytest.mark.shows("F34")
def test_what_was_deleted_while_a_watch_was_interrupted_is_forgotten_with_the_list_that_lacks_it():
    store = Store()
    store.put_build(body(resourceVersion="5"))
    store.put_build(body(status=FINISHED, name="old", uid="old", resourceVersion="6"))
    store.put_build(body(status=FINISHED, name="later", uid="later", resourceVersion="9"))
    store.put_pod(pod_body(version="7"))
    store.put_defaults(body({"limits": {"maxRunning": 1}}, name="default", uid="defaults", generation=1))
    store.begin_list("imagebuilds", "")
    assert not store.finished.is_complete("team")
    # What was written after the list was made is not in it either.
    assert store.end_list("imagebuilds", "other", 8, set()) == [Sweep("team")]
    assert store.build(KEY) is not None
    assert store.end_list("imagebuilds", "", 8, set()) == [KEY, Sweep("team")]
    assert store.build(KEY) is None
    assert [record.name for record in store.finished.of("team")] == ["later"]
    assert store.finished.is_complete("team")
    assert store.end_list("pods", "team", 6, set()) == []
    assert store.end_list("pods", "team", 8, {"pod-1"}) == []
    assert store.has_pods(KEY)
    assert store.end_list("pods", "team", 8, set()) == [KEY]
    assert not store.has_pods(KEY)
    assert store.end_list("clusterimagebuilddefaults", "", 8, set()) == []
    assert store.defaults("team").max_running == 1
    store.end_list("imagebuilddefaults", "", 8, set())
    assert store.defaults("team").max_running is None


def test_a_list_that_is_under_way_does_not_bring_back_what_a_watchs_list_lacks():
    store = Store()
    finished = body(status=FINISHED, resourceVersion="6")
    store.put_build(finished)
    with store.relist() as listed:
        store.end_list("imagebuilds", "", 8, set())
        listed.build(finished)
    assert not store.finished.of("team")


@pytest.mark.shows("F19")
def test_a_deletion_is_due_by_the_operators_own_clock_however_far_it_is_off():
    passed = [timedelta(hours=5)]
    store = Store(clock=lambda: START + passed[0])
    store.put_build(body())

    def due(version: str, grace: int, uid: str = "pod-1") -> timedelta | None:
        deleted = pod_body(uid=uid, version=version)
        deleted["metadata"] |= {"deletionTimestamp": "2026-11-24T08:00:30Z", "deletionGracePeriodSeconds": grace}
        store.put_pod(deleted)
        [pod] = store.pods(a_build())
        return pod.deletion - START if pod.deletion else None

    assert due("2", 30) == timedelta(hours=5, seconds=30)
    passed[0] += timedelta(seconds=20)
    assert due("3", 30) == timedelta(hours=5, seconds=30)
    # The kubelet has ended its containers, and it is deleted without a grace period.
    assert due("4", 0) == timedelta(hours=5, seconds=20)
    assert due("5", 30, uid="the next") == timedelta(hours=5, seconds=50)
