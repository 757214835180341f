"""When an earlier build counts as the same."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from imagebuild import Unchanged
from imagebuild.build import Build
from imagebuild.unchanged import defaults_changed, same_build

IMAGE = "registry.example.com/team/app:1"
SHA = "ab" * 32
SPEC = {"source": {"upload": {"sha256": SHA}}, "output": {"images": [IMAGE]}}
STARTED, ENDED = "2026-11-25T10:00:00Z", "2026-11-25T10:05:00Z"
SUCCEEDED = {
    "phase": "Succeeded",
    "digest": "sha256:1",
    "startTime": STARTED,
    "completionTime": ENDED,
    "source": {"sha256": SHA, "bytes": 1},
}


def build(name: str, spec: Mapping[str, Any] = SPEC, **status: object) -> Build:
    metadata = {"name": name, "namespace": "team", "uid": name, "creationTimestamp": STARTED}
    return Build({"metadata": metadata, "spec": copy.deepcopy(spec), "status": {**SUCCEEDED, **status}})


def planned(**fields: object) -> Build:
    return Build({"metadata": {"name": "new"}, "spec": {**SPEC, **fields}})


def test_the_newest_build_of_the_same_is_found():
    older, newer = build("a"), build("b", completionTime="2026-11-25T11:00:00Z")
    assert same_build(planned(), [newer, older]) == Unchanged(newer)


def test_fields_on_which_no_image_depends_may_differ():
    upload = {"sha256": SHA, "timeoutSeconds": 5, "maxBytes": 7}
    other = build("a", {**SPEC, "source": {"upload": upload}, "priority": 3, "ttlSecondsAfterFinished": 60})
    assert same_build(planned(), [other]).build is other


LATER = "2026-11-25T12:00:00Z"


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ([], "no earlier build"),
        ([build("a", phase="Failed")], "no earlier build"),
        ([build("a", source={"sha256": "cd" * 32})], "no earlier build"),
        ([build("a", source=None)], "no earlier build"),
        ([build("a", digest=None)], "no earlier build"),
        ([build("a", {**SPEC, "target": "prod"})], "no earlier build"),
        ([build("a", {**SPEC, "output": {"images": [IMAGE, "r.example.com/b:1"]}})], "no earlier build"),
        ([build("a"), build("b", {**SPEC, "target": "prod"}, completionTime=LATER)], "ImageBuild b, which has"),
        ([build("a"), build("b", phase="Failed", completionTime=LATER)], "ImageBuild b, which has"),
        ([build("a"), build("b", phase="Building", completionTime=None)], "ImageBuild b is building the same image"),
        ([build("a"), build("b", phase=None, completionTime=None)], "ImageBuild b is building the same image"),
    ],
)
def test_otherwise_the_reason_is_told(others: list[Build], reason: str):
    found = same_build(planned(), others)
    assert found.build is None
    assert found.reason.startswith(reason)


def test_builds_of_other_images_do_not_count():
    other = build("b", {**SPEC, "output": {"images": ["registry.example.com/team/app:2"]}}, completionTime=LATER)
    assert same_build(planned(), [other, build("a")]).build


def test_a_missing_tag_is_latest():
    untagged = {"images": ["registry.example.com:5000/team/app"]}
    other = build("b", {**SPEC, "output": {"images": ["registry.example.com:5000/team/app:latest"]}}, phase="Building")
    found = same_build(planned(output=untagged), [build("a", {**SPEC, "output": untagged}), other])
    assert found.reason == "ImageBuild b is building the same image"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"source": {"upload": {}}}, "no upload with a digest"),
        ({"source": {"git": {"url": "https://g.example.com/a"}}}, "no upload with a digest"),
        ({"output": {"images": [IMAGE], "push": False}}, "nothing is pushed"),
        ({"buildSecrets": [{"id": "a"}]}, "build secrets, whose values may have changed"),
        ({"buildArgs": [{"name": "A", "valueFrom": {}}]}, "from Secrets or ConfigMaps, whose values may have changed"),
    ],
)
def test_a_build_whose_result_may_change_by_itself_is_never_skipped(fields: dict[str, Any], reason: str):
    assert reason in same_build(planned(**fields), [build("a", {**SPEC, **fields})]).reason


def defaults(changed: str, status: str = LATER) -> dict[str, Any]:
    entries = [{"manager": "kubectl", "time": changed}, {"subresource": "status", "time": status}]
    return {"metadata": {"creationTimestamp": "2026-11-01T00:00:00Z", "managedFields": entries}}


@pytest.mark.parametrize(
    ("current", "applied", "changed"),
    [
        ({}, [], ""),
        ({"ImageBuildDefaults": defaults("2026-11-25T09:59:59Z")}, ["ImageBuildDefaults"], ""),
        ({"ImageBuildDefaults": defaults("2026-11-25T10:00:00Z")}, ["ImageBuildDefaults"], "ImageBuildDefaults has"),
        ({"ClusterImageBuildDefaults": defaults(LATER)}, [], "ClusterImageBuildDefaults has"),
        ({}, ["ImageBuildDefaults"], "ImageBuildDefaults has changed since ImageBuild a"),
    ],
)
def test_changed_defaults_count(current: dict[str, Any], applied: list[str], changed: str):
    sources = {"sources": [{"kind": kind, "generation": 1} for kind in applied]}
    found = defaults_changed(build("a", appliedDefaults=sources), current)
    assert (found.reason if found else "").startswith(changed)
    assert bool(found) == bool(changed)
