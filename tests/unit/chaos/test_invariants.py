"""Each invariant of the chaos runs holds for a run without a fault, and fails for one that breaks it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from chaos.history import ADDED, DELETED, MODIFIED, Version
from chaos.invariants import INVARIANTS, Violation, violations
from chaos.records import Expected, Records, Tag, Use

DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
IMAGE = "registry/team/well:1"
PUSHED = {"name": "push", "state": {"terminated": {"exitCode": 0}}}
FAILED = {"name": "build", "state": {"terminated": {"exitCode": 1}}}
SUCCESS = Expected({"Succeeded": frozenset({""})}, (IMAGE,))
FAILURE = Expected({"Failed": frozenset({"RunCommandFailed"})}, (IMAGE,))

Status = Mapping[str, Any]


def build(
    at: float, status: Status | None = None, name: str = "well", change: str = MODIFIED, **spec: object
) -> Version:
    body = {
        "metadata": {"namespace": "team", "name": name, "uid": f"uid-{name}", "resourceVersion": str(int(at * 10))},
        "spec": spec,
        "status": dict(status or {}),
    }
    return Version(ADDED if status is None else change, body, at, at)


def pod(
    at: float,
    status: Status | None = None,
    name: str = "well-1",
    owner: str = "well",
    change: str = MODIFIED,
    *,
    deleting: bool = False,
    forced: bool = False,
) -> Version:
    metadata: dict[str, Any] = {
        "namespace": "team",
        "name": name,
        "uid": f"uid-{owner}-{name}",
        "resourceVersion": str(int(at * 10)),
        "ownerReferences": [{"kind": "ImageBuild", "name": owner, "uid": f"uid-{owner}"}],
    }
    if deleting:
        metadata |= {"deletionTimestamp": "2026-11-24T08:00:00Z", "deletionGracePeriodSeconds": 30}
    body = {"metadata": metadata, "spec": {"containers": [{"name": "push"}]}, "status": dict(status or {})}
    return Version(ADDED if status is None else change, body, at, at, forced)


def life(name: str, start: float, end: float, owner: str = "", **last: Any) -> list[Version]:  # noqa: ANN401
    """A pod from its creation to its end."""
    owner = owner or name.rpartition("-")[0]
    ended = {"phase": "Succeeded", "containerStatuses": [PUSHED], **last}
    return [pod(start, name=name, owner=owner), pod(end, ended, name=name, owner=owner)]


def succeeded(**more: object) -> dict[str, object]:
    return {"phase": "Succeeded", "digest": DIGEST, "message": "Pushed.", "attemptCount": 1, **more}


def failed(reason: str = "RunCommandFailed", **more: object) -> dict[str, object]:
    return {"phase": "Failed", "reason": reason, "message": "It failed.", "attemptCount": 1, **more}


GOOD = Records(
    expected={"team/well": SUCCESS},
    builds=[build(1), build(3, {"phase": "Preparing", "podName": "well-1"}), build(9, succeeded())],
    pods=life("well-1", 2, 8),
    tags={IMAGE: Tag(DIGEST, frozenset({DIGEST}))},
    events=[{"reason": "Succeeded", "involvedObject": {"uid": "uid-well"}}],
    texts={"the operator's log": "all is well"},
    secrets=["s3cret-value"],
    namespace_limits={"team": 1},
    cluster_limit=1,
    before=Use(100 << 20, 20),
    after=Use(110 << 20, 24),
)


def after_one_attempt(*more: Version, **status: object) -> Records:
    """A build whose first attempt was killed, and that succeeded with its second."""
    attempts = [{"podName": "well-1", "reason": "Internal"}]
    first = [pod(2), pod(4, {"phase": "Failed", "initContainerStatuses": [FAILED]})]
    done = {**succeeded(attemptCount=2, attempts=attempts), **status}
    return replace(GOOD, builds=[build(1), build(9, done)], pods=[*first, *life("well-2", 5, 8), *more])


def two_builds(**changes: object) -> Records:
    """Two builds, one after the other."""
    image = "registry/team/other:1"
    other = Expected({"Succeeded": frozenset({""})}, (image,))
    builds = [
        *(build(1, name="well"), build(4, succeeded(), name="well")),
        *(build(1, name="other"), build(9, succeeded(), name="other")),
    ]
    whole = replace(
        GOOD,
        expected={"team/well": SUCCESS, "team/other": other},
        builds=builds,
        pods=[*life("well-1", 2, 3), *life("other-1", 5, 8)],
        tags={**GOOD.tags, image: Tag(DIGEST, frozenset({DIGEST}))},
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def again(version: Version) -> Version:
    """The same of another pod with the same name."""
    metadata = {**version.body["metadata"], "uid": "another"}
    return replace(version, body={**version.body, "metadata": metadata})


def names(found: list[Violation]) -> set[str]:
    return {violation.invariant for violation in found}


def test_a_run_in_which_all_is_well_violates_nothing():
    assert violations(GOOD) == []
    assert violations(after_one_attempt()) == []
    assert violations(two_builds()) == []


FAILED_RUN = replace(
    GOOD,
    expected={"team/well": FAILURE},
    builds=[build(1), build(9, failed())],
    pods=[pod(2), pod(8, {"phase": "Failed", "initContainerStatuses": [FAILED]})],
    tags={},
    events=[],
)


def test_a_failure_that_is_expected_violates_nothing():
    assert violations(FAILED_RUN) == []


OVERLAPPING = [*life("well-1", 2, 8), *life("other-1", 5, 8)]
BROKEN = {
    "every build ends": [
        replace(GOOD, builds=[build(1), build(3, {"phase": "Preparing"})], events=[]),
        replace(GOOD, builds=[], pods=[], events=[]),
        replace(GOOD, builds=[*GOOD.builds[:2], build(5, {"phase": "Preparing"}, change=DELETED)], events=[]),
        replace(GOOD, expected={"team/well": replace(SUCCESS, expires=True)}),
    ],
    "outcome": [replace(FAILED_RUN, expected={"team/well": SUCCESS}), replace(GOOD, expected={"team/well": FAILURE})],
    "reasons are true": [
        after_one_attempt(attempts=[{"podName": "well-1", "reason": "OutOfMemory"}]),
        after_one_attempt(platforms=[{"attempts": [{"podName": "well-1", "reason": "DeadlineExceeded"}]}]),
    ],
    "digest": [
        replace(GOOD, tags={IMAGE: Tag(OTHER, frozenset({OTHER}))}),
        replace(GOOD, tags={}),
        replace(GOOD, builds=[build(1), build(9, {**succeeded(), "digest": None})]),
        replace(GOOD, pods=FAILED_RUN.pods),
    ],
    "no tag of a failure": [replace(FAILED_RUN, tags=GOOD.tags)],
    "one live pod": [
        replace(after_one_attempt(), pods=[*life("well-1", 2, 6), *life("well-2", 5, 8)]),
        replace(GOOD, pods=[*life("well-1", 2, 7), *(again(each) for each in life("well-1", 5, 8))]),
    ],
    "one push per attempt": [replace(GOOD, tags={IMAGE: Tag(DIGEST, frozenset({DIGEST, OTHER}))})],
    "attempts": [
        replace(GOOD, builds=[build(1), build(9, succeeded(attemptCount=2))]),
        after_one_attempt(attempts=[{"podName": "well-0", "reason": "Internal"}]),
        after_one_attempt(attempts=[{"podName": "well-1"}, {"podName": "well-1"}]),
    ],
    "events": [
        replace(FAILED_RUN, events=GOOD.events),
        replace(GOOD, events=[*GOOD.events, *GOOD.events]),
    ],
    "final status": [
        replace(GOOD, builds=[*GOOD.builds, build(11, succeeded(digest=OTHER)), build(12, succeeded())]),
        replace(GOOD, builds=[*GOOD.builds, build(11, {"phase": "Pending"}), build(12, succeeded())]),
    ],
    "limits": [
        two_builds(pods=OVERLAPPING, builds=[build(1), build(9, succeeded()), *two_builds().builds[2:]]),
        two_builds(
            pods=OVERLAPPING,
            builds=[build(1), build(9, succeeded()), *two_builds().builds[2:]],
            namespace_limits={},
        ),
    ],
    "groups": [
        two_builds(
            pods=OVERLAPPING,
            builds=[build(1), build(9, succeeded()), *two_builds().builds[2:]],
            namespace_limits={},
            cluster_limit=0,
            expected={name: replace(each, group="main") for name, each in two_builds().expected.items()},
        )
    ],
    "secrets": [replace(GOOD, texts={"a log": "RUN echo s3cret-value"})],
    "nothing is left": [
        replace(GOOD, pods=[*GOOD.pods, pod(7, name="stray-1", owner="stray")]),
        replace(GOOD, pods=[*GOOD.pods, *life("stray-1", 5, 8)]),
        replace(GOOD, keeps_succeeded=False),
    ],
    "the operator's memory and connections": [
        replace(GOOD, after=Use(300 << 20, 24)),
        replace(GOOD, after=Use(110 << 20, 120)),
    ],
}


def test_each_invariant_has_a_run_that_breaks_it():
    assert BROKEN.keys() == INVARIANTS.keys()


@pytest.mark.parametrize(
    ("invariant", "records"),
    [(invariant, records) for invariant, runs in BROKEN.items() for records in runs],
)
def test_a_run_that_breaks_an_invariant_is_found(invariant: str, records: Records):
    assert invariant in names(violations(records))


def test_a_pod_that_was_deleted_by_force_may_push_after_the_next_attempt():
    forced = [pod(2), pod(4, {"phase": "Running"}, change=DELETED, forced=True)]
    run = replace(
        after_one_attempt(),
        pods=[*forced, *life("well-2", 5, 8)],
        tags={IMAGE: Tag(OTHER, frozenset({DIGEST, OTHER}))},
    )
    assert violations(run) == []


def test_a_pod_that_came_and_went_unrecorded_is_created_again_by_its_name():
    gone = [pod(2), pod(3, {"phase": "Failed", "initContainerStatuses": [FAILED]}), pod(4, {}, change=DELETED)]
    assert violations(replace(GOOD, pods=[*gone, *(again(each) for each in life("well-1", 5, 8))])) == []


def test_a_pod_that_its_node_keeps_is_no_longer_counted_after_its_grace_and_a_minute():
    kept = [pod(2), pod(4, {"phase": "Running"}, deleting=True), pod(200, {"phase": "Running"}, change=DELETED)]

    def run(second: float) -> Records:
        builds = [build(1), build(second + 9, {**after_one_attempt().builds[-1].status})]
        return replace(after_one_attempt(), builds=builds, pods=[*kept, *life("well-2", second, second + 3)])

    assert violations(run(100)) == []
    assert names(violations(run(50))) == {"one live pod"}
