"""The audit log of an API server becomes a history of pods and ImageBuilds."""

import json
from typing import Any

from chaos.audit import history, with_end
from chaos.history import ADDED, DELETED, MODIFIED

POD: dict[str, Any] = {"metadata": {"namespace": "team", "name": "app-1", "uid": "pod", "resourceVersion": "7"}}
BUILD: dict[str, Any] = {
    "metadata": {"namespace": "team", "name": "app", "uid": "build", "resourceVersion": "5"},
    "status": {"a": 1},
}


def line(verb: str, answer: object, resource: str = "pods", **fields: Any) -> str:  # noqa: ANN401
    entry = {
        "stage": "ResponseComplete",
        "verb": verb,
        "objectRef": {"resource": resource},
        "responseStatus": {"code": 200},
        "responseObject": answer,
        "requestReceivedTimestamp": "2026-11-24T08:00:00.000000Z",
        "stageTimestamp": "2026-11-24T08:00:01.500000Z",
        **fields,
    }
    return json.dumps(entry)


def test_writes_are_versions_with_the_two_times_between_which_they_happened():
    found = history([line("create", POD), line("patch", BUILD, "imagebuilds")])
    assert [version.change for version in found.pods] == [ADDED]
    assert [version.change for version in found.builds] == [MODIFIED]
    assert found.pods[0].end - found.pods[0].begin == 1.5
    assert found.pods[0].revision == 7


def test_what_is_refused_half_written_or_about_something_else_is_not_in_it():
    refused = line("create", POD, responseStatus={"code": 409})
    found = history([refused, line("create", POD)[:50], line("get", POD), line("create", POD, "secrets"), ""])
    assert (found.pods, found.builds) == ([], [])


def test_a_pod_with_a_grace_period_is_deleted_only_by_its_node():
    going = {"metadata": {**POD["metadata"], "deletionTimestamp": "soon", "deletionGracePeriodSeconds": 30}}
    gone = {"metadata": {**POD["metadata"], "deletionTimestamp": "now", "deletionGracePeriodSeconds": 0}}
    at_once = {"gracePeriodSeconds": 0}
    by_node = line("delete", gone, user={"username": "system:node:one"}, requestObject=at_once)
    by_force = line("delete", gone, user={"username": "admin"}, requestObject=at_once)
    found = history([line("delete", going), by_node, by_force])
    assert [version.change for version in found.pods] == [MODIFIED, DELETED, DELETED]
    assert [version.forced for version in found.pods] == [False, False, True]


def test_a_pod_without_a_node_is_gone_when_it_is_evicted():
    eviction = {"resource": "pods", "subresource": "eviction", "namespace": "team", "name": "app-1"}
    evicted = line("create", {"kind": "Status"}, objectRef=eviction)
    on_node = {**POD, "spec": {"nodeName": "one"}}
    assert [version.change for version in history([line("create", POD), evicted]).pods] == [ADDED, DELETED]
    assert [version.change for version in history([line("create", on_node), evicted]).pods] == [ADDED]


def test_a_deleted_build_keeps_its_last_status():
    deleted = line("delete", {"kind": "Status", "details": {"uid": "build"}}, "imagebuilds")
    unknown = line("delete", {"kind": "Status", "details": {"uid": "another"}}, "imagebuilds")
    found = history([line("update", BUILD, "imagebuilds"), deleted, unknown])
    assert [version.change for version in found.builds] == [MODIFIED, DELETED]
    assert found.builds[-1].status == {"a": 1}


def test_a_collection_is_deleted_object_by_object():
    found = history([line("deletecollection", {"items": [BUILD]}, "imagebuilds")])
    assert [(version.change, version.name) for version in found.builds] == [(DELETED, "team/app")]


def test_what_a_killed_server_has_not_logged_is_seen_at_the_end():
    known = history([line("create", POD), line("patch", BUILD, "imagebuilds")])
    ended = {**BUILD, "metadata": {**BUILD["metadata"], "resourceVersion": "9"}, "status": {"phase": "Succeeded"}}
    builds, now = with_end(known.builds, [ended], known.builds[0].end + 60), known.builds[0].end
    assert [(version.phase, version.begin) for version in builds] == [(None, now - 1.5), ("Succeeded", now)]
    assert [version.change for version in with_end(known.pods, [], now)] == [ADDED, DELETED]


def test_what_the_log_has_already_is_not_repeated():
    known = history([line("create", POD), line("delete", POD)])
    assert with_end(known.pods, [], 0) == known.pods
    created = history([line("create", POD)]).pods
    assert with_end(created, [POD], 0) == created


def test_an_object_whose_lines_are_all_lost_is_there_from_its_creation():
    body = {"metadata": {**POD["metadata"], "creationTimestamp": "2026-11-24T08:00:00Z"}}
    (version,) = with_end([], [body], 1e10)
    assert (version.uid, version.end - version.begin > 0) == ("pod", True)
