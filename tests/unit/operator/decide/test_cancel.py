import json
from typing import Any

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.decide.attempt import decide
from imagebuild_operator.decide.plan import DeletePod, Plan
from imagebuild_operator.decide.reconcile_input import ReconcileInput
from imagebuild_operator.observe.pod import PodFacts
from support.builds import DIGEST, POD, SETTINGS, a_build, a_pod, after, ended, running, waiting

CANCEL = {"cancel": True}


def plan(build: ImageBuild, *pods: PodFacts, at: float = 20) -> Plan:
    return decide(ReconcileInput(build, pods, SETTINGS, after(at)))


def status(made: Plan) -> dict[str, Any]:
    assert made.status is not None
    return made.status


def test_a_build_that_waits_is_cancelled_at_once():
    made = plan(a_build(CANCEL))
    message = "The build was cancelled. To build again, run kubectl replace --force -f FILE, without cancel: true."
    condition = {
        "reason": "Cancelled",
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-24T08:00:20Z",
    }
    assert made.create == ()
    assert status(made) == {
        "observedGeneration": 1,
        "phase": "Cancelled",
        "reason": "Cancelled",
        "message": message,
        "conditions": [
            {"type": "Succeeded", "status": "False", **condition},
            {"type": "Finished", "status": "True", **condition, "message": ""},
            {"type": "Waiting", "status": "False", **condition, "message": ""},
            {"type": "Ready", "status": "False", **condition, "message": ""},
            {"type": "Reconciling", "status": "False", **condition, "message": ""},
            {"type": "Stalled", "status": "True", **condition},
        ],
        "completionTime": "2026-11-24T08:00:20Z",
    }
    [event] = made.events
    assert (event.type, event.reason) == ("Normal", "Cancelled")


def test_a_running_pod_is_given_its_grace_and_the_record_comes_after_it():
    pod = a_pod(phase="Running", node="node1", build=running())
    made = plan(a_build(CANCEL, {"phase": "Building", "podName": POD}), pod)
    assert made.delete == (DeletePod(POD, "pod-1"),)
    assert (status(made)["reason"], "completionTime" in status(made)) == ("Cancelled", False)
    build = a_build(CANCEL, {"phase": "Building", "reason": "Cancelled", "podName": POD})
    stopping = a_pod(phase="Running", node="node1", build=running(), deletion=after(50))
    made = plan(build, stopping, at=25)
    assert (made.delete, made.requeue_after) == ((), 25 + 60)
    stopped = a_pod(
        phase="Failed", node="node1", build=ended(143, json.dumps({"reason": "Cancelled"})), deletion=after(50)
    )
    for over in ((stopped,), ()):
        final = status(plan(build, *over, at=70))
        assert (final["phase"], final["conditions"][1]["reason"]) == ("Cancelled", "Cancelled")
        assert [(entry["podName"], entry["reason"]) for entry in final["attempts"]] == [(POD, "Cancelled")]
        assert "failure" not in final
    assert status(plan(build, stopping, at=111))["phase"] == "Cancelled"


def test_a_pod_that_has_not_begun_is_not_waited_for():
    pod = a_pod(build=waiting("CreateContainerConfigError", 'secret "x" not found'))
    made = plan(a_build(CANCEL), pod)
    assert (status(made)["phase"], made.delete) == ("Cancelled", (DeletePod(POD, "pod-1"),))


def test_no_other_attempt_follows_a_cancelled_one():
    build = a_build(CANCEL, {"phase": "Pending", "reason": "Evicted", "attempts": [{"podName": POD}], "podName": POD})
    made = plan(build, a_pod(phase="Failed"))
    assert (status(made)["phase"], made.create) == ("Cancelled", ())
    assert "attempts" not in status(made)
    failed = a_pod(phase="Failed", build=ended(80, json.dumps({"reason": "RegistryUnavailable"})))
    assert status(plan(a_build(CANCEL, {"podName": POD}), failed))["phase"] == "Cancelled"


def test_an_image_that_was_pushed_before_is_a_success():
    pushed = ended(0, json.dumps({"digest": DIGEST}))
    made = plan(a_build(CANCEL), a_pod(phase="Succeeded", build=ended(0), push=pushed))
    assert status(made)["phase"] == "Succeeded"


def test_an_invalid_spec_can_be_cancelled():
    assert status(plan(a_build({"output": {}, **CANCEL})))["phase"] == "Cancelled"
