"""Whether a build begins, from one look at the cluster."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.parse import parse_build
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.gate import Gate
from imagebuild_operator.decide.queue import BEGIN, Admission
from imagebuild_operator.settings import Limits
from kubectl_imagebuild.explanation.decision import admission_of

START = datetime(2026, 11, 25, tzinfo=UTC)


def build(name: str, *, begun: bool = False, namespace: str = "team", age: int = 0, **spec: Any) -> ImageBuild:  # noqa: ANN401 - fields of a spec
    created = (START - timedelta(seconds=age)).isoformat()
    metadata = {"name": name, "namespace": namespace, "uid": name, "resourceVersion": "1"}
    status = {"phase": "Building", "podName": f"{name}-1"} if begun else {}
    return parse_build({"metadata": {**metadata, "creationTimestamp": created}, "spec": spec, "status": status})


@dataclass(frozen=True)
class Queue:
    admission: Admission
    supersedes: tuple[str, ...]


def queue(build: ImageBuild, others: list[ImageBuild], limits: Limits, problem: str = "") -> Queue:
    gate = Gate(replace(limits, defaults={}), limits.defaults, lambda _: problem)
    return Queue(*admission_of(build, others, gate, START))


NEW = build("new")
RUNNING = build("old", begun=True, age=9)


def test_without_limits_a_build_begins():
    assert queue(NEW, [RUNNING], Limits()).admission == BEGIN


def test_limits():
    found = queue(NEW, [RUNNING], Limits(namespace=1)).admission
    assert (found.reason, found.position) == (Reason.NAMESPACE_LIMIT, 1)
    assert queue(NEW, [build("old", begun=True, namespace="other")], Limits(namespace=1)).admission == BEGIN
    assert queue(NEW, [build("old", begun=True, namespace="other")], Limits(1)).admission.reason is Reason.CLUSTER_LIMIT
    assert queue(NEW, [RUNNING], Limits(defaults={"": 1})).admission.reason is Reason.NAMESPACE_LIMIT


def test_an_older_build_or_one_with_priority_goes_first():
    older = build("older", age=5)
    found = queue(NEW, [RUNNING, older], Limits(namespace=2)).admission
    assert (found.reason, found.position) == (Reason.NAMESPACE_LIMIT, 1)
    assert queue(build("new", priority=1), [RUNNING, older], Limits(namespace=2)).admission == BEGIN
    assert queue(NEW, [RUNNING, build("older", age=5, suspend=True)], Limits(namespace=2)).admission == BEGIN


def test_what_keeps_a_build_itself():
    assert queue(build("new", suspend=True), [], Limits()).admission.reason is Reason.SUSPENDED
    assert queue(NEW, [], Limits(), "the defaults are invalid").admission.reason is Reason.DEFAULTS_INVALID


def test_groups():
    def member(name: str, policy: str, **fields: Any) -> ImageBuild:  # noqa: ANN401 - same
        return build(name, concurrency={"group": "main", "policy": policy}, **fields)

    serial = queue(member("new", "Serial"), [member("old", "Serial", begun=True, age=9)], Limits())
    assert (serial.admission.reason, serial.supersedes) == (Reason.GROUP_BUSY, ())
    latest = queue(member("new", "LatestCancelRunning"), [member("old", "Latest", begun=True, age=9)], Limits())
    assert (latest.admission.reason, latest.supersedes) == (Reason.GROUP_BUSY, ("old",))
    late = queue(member("new", "Latest", age=9), [member("newest", "Latest")], Limits())
    assert late.admission.reason is Reason.SUPERSEDED
