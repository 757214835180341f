"""The operator against a real API server. No kubelet: the test writes what a kubelet would into the pods."""

import json
import signal
from pathlib import Path

import pytest
from functional.kube import Builds, spec
from functional.kubelet import DIGEST, PUSHED, Kubelet, running, terminated
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.watching import condition, phase, wait_for_build, wait_for_finish, wait_for_no_pods


@pytest.mark.shows("F16")
def test_a_build_goes_through_its_phases(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    pod = kubelet.pod()
    body = wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Preparing")
    assert body["status"]["podName"] == pod["metadata"]["name"]
    assert condition(body, "Succeeded")["status"] == "Unknown"
    kubelet.report(pod, "Running", build=running())
    wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Building")
    kubelet.report(pod, "Running", build=terminated(0, '{"timings": {"buildMs": 20000}}'), push=running())
    wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Pushing")
    kubelet.report(pod, "Succeeded", push=PUSHED)
    body = wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Succeeded")
    assert body["status"]["digest"] == DIGEST
    assert body["status"]["images"] == [{"reference": "registry.example.com/team/app:1", "digest": DIGEST}]
    assert condition(body, "Succeeded")["status"] == condition(body, "Finished")["status"] == "True"
    assert "finalizers" not in body["metadata"]
    assert "annotations" not in body["metadata"]
    assert operator.is_running()


def test_a_failing_run_is_explained_after_its_pod_has_gone(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    pod = kubelet.pod()
    report = {
        "reason": "RunCommandFailed",
        "message": "RUN make failed.",
        "instruction": "RUN make",
        "logTail": "error",
    }
    kubelet.report(pod, "Failed", build=terminated(7, json.dumps(report), "Error"))
    status = wait_for_finish(api, namespace, "hello")
    client.CoreV1Api(api).delete_namespaced_pod(pod["metadata"]["name"], namespace, grace_period_seconds=0)
    builds.create(spec(), name="next")
    wait_for_build(api, namespace, "next", phase)
    assert builds.get()["status"] == status
    assert status["failure"] == {
        "reason": "RunCommandFailed",
        "message": "RUN make failed.",
        "hint": "The end of the log (failure.logTail) has the output of the command.",
        "instruction": "RUN make",
        "exitCode": 7,
        "logTail": "error",
    }
    assert operator.is_running()


@pytest.mark.usefixtures("operator")
def test_a_build_past_its_timeout_fails_and_its_pod_goes(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec(timeoutSeconds=1))
    kubelet.pod()
    status = wait_for_finish(api, namespace, "hello")
    assert status["failure"]["reason"] == "DeadlineExceeded"
    wait_for_no_pods(api, namespace)


@pytest.mark.usefixtures("operator")
def test_a_pod_deleted_by_hand_fails_a_build_that_is_not_to_be_tried_again(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec(retry={"limit": 0}))
    pod = kubelet.pod()
    wait_for_build(api, namespace, "hello", phase)
    client.CoreV1Api(api).delete_namespaced_pod(pod["metadata"]["name"], namespace, grace_period_seconds=0)
    assert wait_for_finish(api, namespace, "hello")["reason"] == "PodDeleted"


def test_a_killed_operator_takes_up_where_it_left(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    pod = kubelet.pod()
    operator.stop(signal.SIGKILL)
    kubelet.report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    operator.start()
    status = wait_for_finish(api, namespace, "hello")
    assert (status["phase"], status["podName"]) == ("Succeeded", pod["metadata"]["name"])
    wait_for_no_pods(api, namespace)


@pytest.mark.shows("F4")
def test_a_pod_that_went_while_the_operator_was_down_is_noticed(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec(retry={"limit": 0}))
    pod = kubelet.pod()
    wait_for_build(api, namespace, "hello", phase)
    operator.stop(signal.SIGKILL)
    client.CoreV1Api(api).delete_namespaced_pod(pod["metadata"]["name"], namespace, grace_period_seconds=0)
    operator.start()
    assert wait_for_finish(api, namespace, "hello")["reason"] == "PodDeleted"
    assert kubelet.pods() == []


@pytest.mark.shows("F4")
def test_builds_made_while_the_operator_was_down_are_built(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec(), name="before")
    wait_for_build(api, namespace, "before", phase)
    operator.stop()
    builds.create(spec(), name="meanwhile")
    operator.start()
    wait_for_build(api, namespace, "meanwhile", lambda build: phase(build) == "Preparing")
    assert len(kubelet.pods()) == 2


@pytest.mark.shows("F18")
def test_two_operators_make_one_pod(
    operator: OperatorProcess,
    builds: Builds,
    kubelet: Kubelet,
    api: client.ApiClient,
    namespace: str,
    kubeconfig: Path,
    tmp_path: Path,
):
    second = OperatorProcess(kubeconfig, namespace, tmp_path / "second.log")
    second.start()
    for number in range(20):
        builds.create(spec(), name=f"build-{number}")
    for number in range(20):
        wait_for_build(api, namespace, f"build-{number}", phase)
    second.stop()
    assert len(kubelet.pods()) == 20
    assert operator.is_running()
    assert second.surprises() == []


@pytest.mark.shows("A19", "F16")
@pytest.mark.usefixtures("operator")
def test_the_longest_name_created_anew_at_once_gets_a_pod_of_its_own(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    name = ".".join(["1" * 63] * 3 + ["a" * 61])
    assert len(name) == 253
    builds.create(spec(), name=name)
    first = kubelet.pod()
    builds.delete_all()
    again = builds.create(spec(), name=name)
    # Nothing collects garbage here: the pod of the build that is gone stays.
    second = kubelet.pod_after(first)
    assert [owner["uid"] for owner in second["metadata"]["ownerReferences"]] == [again["metadata"]["uid"]]
    kubelet.report(first, "Failed", build=terminated(7, "{}", "Error"))
    kubelet.report(second, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    assert wait_for_finish(api, namespace, name)["podName"] == second["metadata"]["name"]
