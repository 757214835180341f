"""How other tools read the status of every phase: kstatus, Argo CD's Lua with the script that is shipped, and Flux's
own evaluator with the expressions of docs/how-to/gitops.md.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cluster.artefacts import artefact
from functional.kube import Builds, spec
from functional.kubelet import PUSHED, Kubelet, terminated
from functional.operator_process import OperatorProcess
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.defaults.objects import parse_defaults
from imagebuild_operator.defaults.status import next_status as status_of_defaults
from imagebuild_operator.status.conditions import observed
from imagebuild_operator.status.document import next_status
from imagebuild_operator.status.outcome import Outcome
from imagebuild_vocabulary.phases import Phase
from kubernetes import client
from support.builds import a_build, after
from support.pages import manifests
from support.watching import wait_for_build, wait_for_finish

Json = dict[str, Any]
PAGE = "how-to/gitops.md"
SCRIPT = Path(__file__).parents[2] / "examples" / "argocd" / "health.lua"

#: What kstatus and Argo CD should make of each phase.
EXPECTED = {
    **dict.fromkeys(
        (Phase.PENDING, Phase.QUEUED, Phase.PREPARING, Phase.BUILDING, Phase.PUSHING), ("InProgress", "Progressing")
    ),
    Phase.SUCCEEDED: ("Current", "Healthy"),
    Phase.FAILED: ("Failed", "Degraded"),
    Phase.CANCELLED: ("Failed", "Degraded"),
}


def health(*objects: Json) -> list[tuple[str, str]]:
    """What kstatus and the script say of each object."""
    return [(verdict["kstatus"], verdict["argocd"]) for verdict in verdicts(*objects)]


def flux(*objects: Json) -> list[str]:
    """What the expressions for Flux say of each object."""
    return [verdict["flux"] for verdict in verdicts(*objects)]


def verdicts(*objects: Json) -> list[Json]:
    (kustomization,) = (each for each in manifests(PAGE, "Kustomization") if "healthCheckExprs" in each.get("spec", {}))
    (check,) = kustomization["spec"]["healthCheckExprs"]
    done = subprocess.run(
        [artefact("health"), SCRIPT, json.dumps(check)],
        input=json.dumps(objects),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made: list[Json] = json.loads(done.stdout)
    return made


def an_object(phase: Phase | None, generation: int = 1, reason: Reason | None = None) -> Json:
    metadata = {"name": "app", "namespace": "team", "generation": generation}
    body: Json = {"apiVersion": "imagebuild.dev/v1alpha1", "kind": "ImageBuild", "metadata": metadata, "spec": {}}
    if phase is None:
        return body
    whole = next_status(a_build(), Outcome(phase, "A message.", reason), None, "builder", after(1), ())
    return {**body, "status": {name: value for name, value in whole.items() if value is not None}}


def test_every_phase():
    assert set(EXPECTED) == set(Phase)
    objects = [an_object(phase) for phase in Phase]
    assert health(*objects) == [EXPECTED[phase] for phase in Phase]
    assert flux(*objects) == [EXPECTED[phase][0] for phase in Phase]


def test_a_suspended_build_and_a_build_that_the_operator_has_not_seen():
    suspended = an_object(Phase.QUEUED, reason=Reason.SUSPENDED)
    assert health(suspended) == [("InProgress", "Suspended")]
    # kstatus calls an object without any status Current, since most kinds have none. Flux waits while it is Unknown.
    assert health(an_object(None)) == [("Current", "Progressing")]
    assert flux(suspended, an_object(None)) == ["InProgress", "Unknown"]


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase.is_final])
def test_a_finished_build_whose_spec_changes(phase: Phase):
    changed = an_object(phase, generation=2)
    assert health(changed) == [("InProgress", "Progressing")]
    assert flux(changed) == ["InProgress"]
    build = a_build(status=changed["status"], generation=2)
    changed["status"] |= observed(build)
    assert health(changed) == [EXPECTED[phase]]


def test_defaults():
    bad = {"podTemplate": {"metadata": {"annotations": {"a": "https://me:pw@example.com"}}}}
    metadata = {"name": "default", "uid": "u", "resourceVersion": "1", "generation": 1, "namespace": "team"}
    bodies: list[Json] = [
        {"apiVersion": "imagebuild.dev/v1alpha1", "kind": "ImageBuildDefaults", "metadata": metadata, "spec": made}
        for made in ({"timeoutSeconds": 5}, bad)
    ]
    for body in bodies:
        body["status"] = status_of_defaults(parse_defaults(body), after(1))
    assert health(*bodies) == [("Current", "Healthy"), ("Failed", "Degraded")]


def is_observed(build: Json) -> bool:
    return bool(build.get("status", {}).get("observedGeneration") == build["metadata"]["generation"])


def test_the_operator_observes_changes_of_a_finished_build_for_ever_and_changes_nothing_else(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    kubelet.report(kubelet.pod(), "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    wait_for_finish(api, namespace, "hello")
    before = builds.get()["status"]
    # Each change comes while the operator is still at the one before: none may be lost.
    for priority in range(20):
        builds.patch({"spec": {"priority": priority}})
        wait_for_build(api, namespace, "hello", is_observed)
    body = builds.patch({"spec": {"ttlSecondsAfterFinished": 300_000_000}})
    wait_for_build(api, namespace, "hello", is_observed)
    body = builds.patch({"spec": {"ttlSecondsAfterFinished": None}})
    body = wait_for_build(api, namespace, "hello", is_observed)
    assert health(body) == [("Current", "Healthy")]
    after_it = body["status"]
    for name in ("observedGeneration", "conditions"):
        assert after_it.pop(name) != before.pop(name)
    assert after_it == before
    # One that changed while no operator was there.
    operator.stop()
    builds.patch({"spec": {"priority": 8}})
    operator.start()
    wait_for_build(api, namespace, "hello", is_observed)
