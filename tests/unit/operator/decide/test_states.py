"""Each row of docs/reference/states.yaml, decided."""

from typing import Any

import pytest
from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.errors import ClusterError, RejectedError
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.plan import Plan
from imagebuild_operator.decide.queue import BEGIN, Admission
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.observe.pod import PodFacts, observe
from imagebuild_operator.observe.warnings import latest_warning
from imagebuild_vocabulary.names import API_VERSION, ENGINE_LABEL, KIND
from imagebuild_vocabulary.phases import Phase
from kaniko_shim.outcome.reasons import Reason as ShimReason
from support.builds import POD, START, UID, WITH_BUILDKIT, a_build, after, recorded
from support.states import Row, moments, pod_status, rows

ROWS = list(rows())


def build_of(row: Row, engine: str) -> ImageBuild:
    return a_build({"engine": engine, **row.spec}, moments(row.recorded, START))


def pods_of(row: Row, engine: str) -> list[PodFacts]:
    if row.pod is None:
        return []
    metadata: dict[str, Any] = {
        "name": POD,
        "namespace": "team",
        "uid": "pod-1",
        "labels": {ENGINE_LABEL: engine},
        "creationTimestamp": 0,
        "ownerReferences": [{"apiVersion": API_VERSION, "kind": KIND, "name": "app", "uid": UID, "controller": True}],
    }
    if "deleted" in row.pod:
        metadata["deletionTimestamp"] = row.pod["deleted"]
    body = {"metadata": moments(metadata, START), "spec": {"nodeName": row.pod.get("node")}}
    return [observe({**body, "status": pod_status(row, START)})]


def decided(row: Row, build: ImageBuild, seconds: float) -> Plan:
    admission = Admission(Reason(row.admission), "It is not its turn.") if row.admission else BEGIN
    warning = latest_warning(moments(row.events, START))
    refusals = {}
    if row.refused:
        kind = RejectedError if row.refused["code"] in {400, 403, 422} else ClusterError
        refusals[POD] = kind(row.refused["code"], row.refused["message"])
    warnings = {POD: warning} if warning else {}
    pods = pods_of(row, build.spec["engine"])
    return decide(ReconcileInput(build, pods, WITH_BUILDKIT, after(seconds), admission, warnings, refusals))


def done(build: ImageBuild, plan: Plan) -> tuple[str, ...]:
    attempts = (plan.status or {}).get("attempts") or build.attempts
    happened = {"create": plan.create, "delete": plan.delete, "attempt": len(attempts) > len(build.attempts)}
    return tuple(name for name, value in happened.items() if value)


@pytest.mark.parametrize("engine", ["Kaniko", "BuildKit"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_row_of_the_table(row: Row, engine: str):
    build = build_of(row, engine)
    plan = decided(row, build, row.at)
    after_it = recorded(build, plan)
    status = after_it.status
    assert (status.get("phase"), status.get("reason")) == (row.phase, row.reason), status.get("message")
    assert row.says in status.get("message", "")
    assert done(build, plan) == row.does
    # What has been decided is not decided, written or told again while nothing happens.
    for seconds in (1, 2):
        again = decided(row, after_it, row.at + seconds)
        assert (again.status, again.events) == (None, ())


def test_the_table_has_every_phase_and_every_reason_that_the_operator_finds_itself():
    assert {row.phase for row in ROWS if row.phase} == {str(phase) for phase in Phase}
    elsewhere = {*map(str, ShimReason), str(Reason.SOURCE_CHANGED)}  # the second: only of several platforms
    assert {row.reason for row in ROWS} >= {str(reason) for reason in Reason if str(reason) not in elsewhere}
