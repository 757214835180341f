"""A build with engine Auto whose node, or namespace, does not let BuildKit run goes on with Kaniko."""

import json
from dataclasses import replace
from typing import Any

import pytest
from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.errors import RejectedError
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.engine import engine_places, engine_problems
from imagebuild_operator.decide.lifecycle import expected_pod
from imagebuild_operator.decide.plan import DeletePod, Plan
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.observe.pod import ContainerFacts, PodFacts
from imagebuild_operator.pod.identity import difference
from imagebuild_operator.pod.manifest import pod_name
from support.builds import DIGEST, POD, WITH_BUILDKIT, a_build, a_pod, after, ended, recorded, running

AUTO = {"engine": "Auto", "retry": {"limit": 0}}
FORCED = {"engine": "BuildKit"}
HINT = "Install a profile."
REPORT = json.dumps({"reason": "EngineUnavailable", "message": "BuildKit can't run here: EPERM.", "hint": HINT})
SANDBOX = "Failed to create pod sandbox: can't set `spec.hostUsers: false`, runtime does not support user namespaces"
PODSECURITY = RejectedError(403, 'pods "x" is forbidden: violates PodSecurity "baseline:v1.34": procMount')
FIRST = {"uid": "pod-1", "engine": "BuildKit", "node": "node1"}
SECOND_POD = pod_name(a_build(), 2)


def plan(build: ImageBuild, *pods: PodFacts, at: float = 61, **more: Any) -> Plan:  # noqa: ANN401 - any input
    return decide(ReconcileInput(build, pods, WITH_BUILDKIT, after(at), **more))


def refused(build: ImageBuild) -> Plan:
    return plan(build, refusals={POD: PODSECURITY})


def reported(build: ImageBuild) -> Plan:
    return plan(build, a_pod(**FIRST, phase="Failed", build=ended(86, REPORT)))


def not_started(build: ImageBuild) -> Plan:
    return plan(build, a_pod(**FIRST, scheduled=after(1)), warnings={POD: SANDBOX})


def held(build: ImageBuild) -> Plan:
    waits = ContainerFacts(waiting_reason="CreateContainerError", waiting_message='cannot load seccomp profile "/x"')
    return plan(build, a_pod(**FIRST, scheduled=after(1), build=waits))


@pytest.mark.parametrize("find", [refused, reported, not_started, held])
def test_kaniko_follows_at_once_and_the_attempt_does_not_count(find: Any):  # noqa: ANN401 - one of the above
    made = find(a_build(AUTO))
    assert made.status is not None
    assert (made.status["phase"], made.status["reason"], made.requeue_after) == ("Pending", "EngineUnavailable", 0)
    assert made.delete == ((DeletePod(POD, "pod-1"),) if find in {not_started, held} else ())
    build = recorded(a_build(AUTO), made)
    [create] = plan(build, at=62).create
    spec = create.manifest["spec"]
    assert create.manifest["metadata"]["labels"]["imagebuild.dev/engine"] == "Kaniko"
    assert (create.name, spec["initContainers"][-1]["image"]) == (SECOND_POD, "registry.example/builder:1")
    assert "hostUsers" not in spec
    # The second attempt is the first that counts: limit 0 allows no other, and what it finds is the end.
    second = a_pod(name=SECOND_POD, uid="pod-2", engine="Kaniko", created=after(62))
    lost = plan(build, replace(second, phase="Failed", build=ended(86, REPORT)))
    assert lost.status is not None
    assert (lost.status["phase"], lost.create) == ("Failed", ())
    report = json.dumps({"digest": DIGEST, "images": []})
    done = plan(build, replace(second, phase="Succeeded", build=ended(0, "{}"), push=ended(0, report)))
    assert done.status is not None
    assert (done.status["phase"], done.status["engine"]) == ("Succeeded", "Kaniko")
    [warning] = done.status["warnings"]
    assert warning.startswith("Built with Kaniko. ")


@pytest.mark.parametrize("find", [reported, not_started, held])
def test_a_build_that_asks_for_buildkit_fails_with_what_would_help(find: Any):  # noqa: ANN401 - one of the above
    made = find(a_build(FORCED))
    assert made.status is not None
    assert (made.status["phase"], made.status["reason"], made.create) == ("Failed", "EngineUnavailable", ())
    assert made.status["message"].endswith(HINT if find is reported else "has what each cluster needs.")


def test_a_pod_that_is_refused_is_no_other_engines_where_buildkit_is_asked_for():
    made = refused(a_build(FORCED))
    assert made.status is not None
    assert (made.status["phase"], made.status["reason"]) == ("Failed", "PodRejected")


def test_a_run_of_kaniko_that_forges_the_report_gets_no_attempt_for_nothing():
    only_kaniko = {**AUTO, "executor": {"args": ["--reproducible"]}}
    made = plan(a_build(only_kaniko), a_pod(engine="Kaniko", phase="Failed", build=ended(86, REPORT)))
    assert made.status is not None
    assert made.status["phase"] == "Failed"


def test_a_pod_that_does_not_start_for_another_reason_waits():
    made = plan(a_build(AUTO), a_pod(**FIRST, scheduled=after(1)), warnings={POD: 'secret "x" not found'})
    assert made.status is not None
    assert (made.status["phase"], made.status["reason"]) == ("Preparing", "SecretNotFound")


def test_the_status_says_what_it_is_built_with():
    made = plan(a_build(AUTO), a_pod(**FIRST, phase="Running", build=running()), at=20)
    assert made.status is not None
    assert made.status["engine"] == "BuildKit"


@pytest.mark.parametrize(
    ("find", "place"), [(refused, "namespace team"), (reported, "nodes of team "), (not_started, "nodes of team ")]
)
def test_later_builds_of_the_same_place_do_not_try(find: Any, place: str):  # noqa: ANN401 - one of the above
    made = find(a_build(AUTO))
    [(found, problem)] = engine_problems(a_build(AUTO), made.status or {}, WITH_BUILDKIT)
    assert found == place
    assert found in engine_places(a_build(AUTO), WITH_BUILDKIT)
    [create] = plan(a_build(AUTO), engine_problem=problem).create
    metadata = create.manifest["metadata"]
    assert metadata["labels"]["imagebuild.dev/engine"] == "Kaniko"
    assert metadata["annotations"]["imagebuild.dev/engine-unavailable"] == problem
    report = json.dumps({"digest": DIGEST, "images": []})
    pod = a_pod(engine="Kaniko", engine_problem=problem, phase="Succeeded", build=ended(0, "{}"), push=ended(0, report))
    done = plan(a_build(AUTO), pod)
    assert done.status is not None
    assert done.status["warnings"] == [f"Built with Kaniko. {problem}"]
    # Another leader finds the pod before it is recorded: it is one that an operator makes.
    assert difference(create.manifest, expected_pod(a_build(AUTO), WITH_BUILDKIT, "Kaniko") or {}) == ""
    assert expected_pod(a_build(AUTO), WITH_BUILDKIT, "BuildKit") == plan(a_build(AUTO)).create[0].manifest


def test_builds_that_ask_for_an_engine_are_not_concerned():
    for spec, engine in ((FORCED, "BuildKit"), ({"engine": "Kaniko"}, "Kaniko")):
        [create] = plan(a_build(spec), engine_problem="no").create
        assert create.manifest["metadata"]["labels"]["imagebuild.dev/engine"] == engine
        assert "imagebuild.dev/engine-unavailable" not in create.manifest["metadata"]["annotations"]
        forged = expected_pod(a_build(spec), WITH_BUILDKIT, "Kaniko" if engine == "BuildKit" else "BuildKit")
        assert forged == expected_pod(a_build(spec), WITH_BUILDKIT, engine)


def test_places_are_told_apart_by_the_selector_of_nodes():
    selected = {**AUTO, "podTemplate": {"spec": {"nodeSelector": {"pool": "new", "a": "b"}}}}
    assert engine_places(a_build(selected), WITH_BUILDKIT) == ("namespace team", "nodes of team a=b,pool=new")
    assert engine_places(a_build({**AUTO, "output": {}}), WITH_BUILDKIT) == ()
