"""Cancelling a build, and how long what is finished stays, against a real API server."""

import json
import signal

import pytest
from functional.kube import Builds, spec
from functional.kubelet import PUSHED, Kubelet, running, terminated
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.watching import condition, phase, wait_for_build, wait_for_deletion, wait_for_finish, wait_for_no_pods

FAILED = terminated(7, json.dumps({"reason": "RunCommandFailed", "message": "RUN make failed."}), "Error")
CANCEL = {"spec": {"cancel": True}}


@pytest.mark.usefixtures("operator")
def test_a_running_build_is_cancelled_and_its_record_stays(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    pod = kubelet.pod()
    kubelet.report(pod, "Running", build=running())
    wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Building")
    builds.patch(CANCEL)
    body = wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Cancelled")
    assert body["status"]["reason"] == "Cancelled"
    assert condition(body, "Succeeded")["status"] == "False"
    assert condition(body, "Finished")["status"] == "True"
    assert [attempt["reason"] for attempt in body["status"]["attempts"]] == ["Cancelled"]
    wait_for_no_pods(api, namespace)


@pytest.mark.usefixtures("operator")
def test_a_build_made_cancelled_gets_no_pod(builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str):
    builds.create(spec(cancel=True))
    assert wait_for_finish(api, namespace, "hello")["phase"] == "Cancelled"
    assert kubelet.pods() == []


def test_a_build_cancelled_while_the_operator_was_down_is_stopped(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    kubelet.report(kubelet.pod(), "Running", build=running())
    operator.stop(signal.SIGKILL)
    builds.patch(CANCEL)
    operator.start()
    assert wait_for_finish(api, namespace, "hello")["phase"] == "Cancelled"
    wait_for_no_pods(api, namespace)


@pytest.mark.usefixtures("operator")
def test_the_pod_of_a_success_goes_and_that_of_a_failure_stays(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec(), name="bad")
    bad = kubelet.pod()
    kubelet.report(bad, "Failed", build=FAILED)
    wait_for_finish(api, namespace, "bad")
    builds.create(spec(), name="good")
    kubelet.report(kubelet.pod_after(bad), "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    wait_for_finish(api, namespace, "good")
    builds.create(spec(cancel=True), name="after-both")
    wait_for_finish(api, namespace, "after-both")
    assert kubelet.pods() == [bad["metadata"]["name"]]


@pytest.mark.parametrize("settings", [{"builder": {"keepPods": "none"}}])
def test_a_pod_that_a_dead_operator_has_left_goes(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    operator.stop(signal.SIGKILL)
    builds.create(spec())
    operator.start()
    pod = kubelet.pod()
    wait_for_build(api, namespace, "hello", phase)
    operator.stop(signal.SIGKILL)
    kubelet.report(pod, "Failed", build=FAILED)
    builds.patch_status({"phase": "Failed", "completionTime": "2026-11-24T08:00:25Z"})
    operator.start()
    wait_for_no_pods(api, namespace)
    assert "failure" not in builds.get()["status"]


@pytest.mark.usefixtures("operator")
def test_a_build_goes_when_its_time_to_live_is_over(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec(ttlSecondsAfterFinished=1))
    kubelet.report(kubelet.pod(), "Failed", build=FAILED)
    wait_for_deletion(api, namespace, "hello")
    builds.create(spec(cancel=True), name="later")
    wait_for_finish(api, namespace, "later")
    builds.patch({"spec": {"ttlSecondsAfterFinished": 0}}, name="later")
    wait_for_deletion(api, namespace, "later")


@pytest.mark.parametrize("settings", [{"history": {"failed": 2}}])
def test_a_namespace_keeps_the_newest_of_its_finished_builds(
    operator: OperatorProcess, builds: Builds, api: client.ApiClient, namespace: str
):
    operator.stop()
    for number in range(4):
        builds.create(spec(), name=f"old-{number}")
        builds.patch_status({"phase": "Failed", "completionTime": f"2026-11-24T08:00:0{number}Z"}, name=f"old-{number}")
    operator.start()
    for number in (0, 1):
        wait_for_deletion(api, namespace, f"old-{number}")
    assert phase(builds.get("old-2")) == phase(builds.get("old-3")) == "Failed"
    builds.create(spec(cancel=True), name="newest")
    wait_for_deletion(api, namespace, "old-2")
    assert phase(builds.get("old-3")) == "Failed"
