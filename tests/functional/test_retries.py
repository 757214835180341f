"""Failures that another attempt may cure, against a real API server."""

import json
import signal

import pytest
from functional.kube import Builds, spec
from functional.kubelet import DIGEST, PUSHED, Kubelet, running, terminated
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.watching import phase, wait_for_build, wait_for_finish

UNAVAILABLE = terminated(80, json.dumps({"reason": "RegistryUnavailable", "message": "No answer."}), "Error")
NODE_LOST = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager", "message": "Node gone"}


@pytest.mark.usefixtures("operator")
def test_a_failure_of_the_registry_is_tried_again_and_each_attempt_recorded(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    first = kubelet.pod()
    kubelet.report(first, "Failed", build=UNAVAILABLE)
    second = kubelet.pod_after(first)
    kubelet.report(second, "Running", build=terminated(0, "{}"), push=running())
    body = wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Pushing")
    assert "reason" not in body["status"]
    kubelet.report(second, "Succeeded", push=PUSHED)
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["digest"], status["podName"]) == ("Succeeded", DIGEST, second["metadata"]["name"])
    assert [(attempt["podName"], attempt.get("reason"), attempt.get("exitCode")) for attempt in status["attempts"]] == [
        (first["metadata"]["name"], "RegistryUnavailable", 80),
        (second["metadata"]["name"], None, None),
    ]
    assert "failure" not in status


@pytest.mark.usefixtures("operator")
def test_the_limit_ends_it(builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str):
    builds.create(spec(retry={"limit": 1}))
    first = kubelet.pod()
    kubelet.report(first, "Failed", build=UNAVAILABLE)
    kubelet.report(kubelet.pod_after(first), "Failed", build=UNAVAILABLE)
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["failure"]["reason"], len(status["attempts"])) == (
        "Failed",
        "RegistryUnavailable",
        2,
    )
    assert len(kubelet.pods()) == 2


@pytest.mark.shows("F15")
@pytest.mark.usefixtures("operator")
def test_disruptions_do_not_use_up_the_limit(builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str):
    builds.create(spec(retry={"limit": 1}))
    pods = [kubelet.pod()]
    for _ in range(3):
        kubelet.report(pods[-1], "Failed", build=terminated(143, "", "Error"), conditions=[NODE_LOST])
        pods.append(kubelet.pod_after(*pods))
    kubelet.report(pods[-1], "Failed", build=UNAVAILABLE)
    kubelet.report(kubelet.pod_after(*pods), "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    status = wait_for_finish(api, namespace, "hello")
    assert [attempt.get("reason") for attempt in status["attempts"]] == [
        *["NodeLost"] * 3,
        "RegistryUnavailable",
        None,
    ]
    assert status["phase"] == "Succeeded"


def test_a_killed_operator_neither_forgets_nor_repeats_an_attempt(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    first = kubelet.pod()
    wait_for_build(api, namespace, "hello", phase)
    operator.stop(signal.SIGKILL)
    kubelet.report(first, "Failed", build=UNAVAILABLE)
    operator.start()
    second = kubelet.pod_after(first)
    operator.stop(signal.SIGKILL)
    kubelet.remove(second)
    operator.start()
    third = kubelet.pod(lambda pod: pod["metadata"]["uid"] not in {p["metadata"]["uid"] for p in (first, second)})
    kubelet.report(third, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded"
    names = [attempt["podName"] for attempt in status["attempts"]]
    assert names[0] == first["metadata"]["name"]
    assert names[-1] == third["metadata"]["name"]
    assert len(set(names)) == len(names)
    assert set(kubelet.pods()) <= {first["metadata"]["name"], third["metadata"]["name"]}


def test_an_operator_that_dies_whenever_it_has_made_a_pod_still_makes_each_once(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    names = ["one", "two", "three"]
    for name in names:
        builds.create(spec(), name=name)
    made: dict[str, list[str]] = {name: [] for name in names}
    seen: set[str] = set()
    while len(seen) < 2 * len(names):
        pod = kubelet.pod(lambda pod: pod["metadata"]["uid"] not in seen)
        operator.stop(signal.SIGKILL)
        name = pod["metadata"]["ownerReferences"][0]["name"]
        seen.add(pod["metadata"]["uid"])
        made[name].append(pod["metadata"]["name"])
        if len(made[name]) == 1:
            kubelet.report(pod, "Failed", build=UNAVAILABLE)
        else:
            kubelet.report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
        operator.start()
    for name in names:
        status = wait_for_finish(api, namespace, name)
        assert status["phase"] == "Succeeded"
        assert [attempt["podName"] for attempt in status["attempts"]] == made[name]
        assert len(set(made[name])) == 2
    assert set(kubelet.pods()) <= {name for both in made.values() for name in both}
