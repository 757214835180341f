"""Whose turn it is, against a real API server."""

import signal
from typing import Any

import pytest
from functional.kube import Builds, spec
from functional.kubelet import PUSHED, Kubelet, terminated
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.watching import condition, phase, wait_for_build, wait_for_finish, watch_builds

ONE = {"admission": {"maxRunning": 1}}
Json = dict[str, Any]


def begun(build: Json) -> bool:
    return phase(build) == "Preparing"


def queued(build: Json) -> bool:
    return phase(build) == "Queued"


def succeed(kubelet: Kubelet, pod: Json) -> None:
    kubelet.report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("settings", [ONE])
def test_a_build_waits_for_its_turn_and_its_time_counts_from_then(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec(), name="first")
    pod = kubelet.pod()
    builds.create(spec(timeoutSeconds=1), name="second")
    body = wait_for_build(api, namespace, "second", queued)
    assert body["status"]["reason"] == "ClusterLimit"
    assert body["status"]["queue"] == {
        "position": 1,
        "message": "Waiting: the cluster runs its limit of 1 build.",
    }
    assert condition(body, "Waiting")["status"] == "True"
    assert "startTime" not in body["status"]
    wait_for_build(api, namespace, "first", begun)
    succeed(kubelet, pod)
    body = wait_for_build(api, namespace, "second", lambda build: phase(build) not in {None, "Queued"})
    assert condition(body, "Waiting")["reason"] != "ClusterLimit"
    assert "queue" not in body["status"]
    assert wait_for_finish(api, namespace, "second")["failure"]["reason"] == "DeadlineExceeded"


@pytest.mark.usefixtures("operator")
def test_a_suspended_build_begins_when_it_is_let_go(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec(suspend=True))
    body = wait_for_build(api, namespace, "hello", queued)
    assert body["status"]["reason"] == "Suspended"
    assert kubelet.pods() == []
    builds.patch({"spec": {"suspend": False}})
    wait_for_build(api, namespace, "hello", begun)


@pytest.mark.parametrize("settings", [{"admission": {"maxRunningPerNamespace": 1}}])
def test_a_higher_priority_is_first_and_can_be_given_later(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec(), name="running")
    pod = kubelet.pod()
    wait_for_build(api, namespace, "running", begun)
    for name, priority in (("early", 0), ("late", 1), ("latest", 0)):
        builds.create(spec(priority=priority), name=name)
        body = wait_for_build(api, namespace, name, queued)
        assert body["status"]["reason"] == "NamespaceLimit"
    builds.patch({"spec": {"priority": 2}}, name="latest")
    order = []
    for _ in range(3):
        succeed(kubelet, pod)
        pod = kubelet.pod_after(pod)
        order.append(pod["metadata"]["ownerReferences"][0]["name"])
        wait_for_build(api, namespace, order[-1], begun)
    assert order == ["latest", "late", "early"]
    assert operator.is_running()


@pytest.mark.parametrize("settings", [ONE])
def test_a_killed_operator_lets_in_no_more_than_before(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec(), name="first")
    pod = kubelet.pod()
    operator.stop(signal.SIGKILL)
    for name, priority in (("second", 1), ("third", 0)):
        builds.create(spec(priority=priority), name=name)
    operator.start()
    for name in ("second", "third"):
        wait_for_build(api, namespace, name, queued)
    assert kubelet.pods() == [pod["metadata"]["name"]]
    wait_for_build(api, namespace, "first", begun)
    succeed(kubelet, pod)
    wait_for_build(api, namespace, "second", begun)
    assert phase(builds.get("third")) == "Queued"


@pytest.mark.shows("F22")
@pytest.mark.parametrize("settings", [{"admission": {"maxRunning": 5}}])
def test_a_burst_is_written_to_but_once_for_each_build(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    operator.stop()
    made = [builds.create(spec(), name=f"b{number}")["metadata"] for number in range(40)]
    operator.start()
    bodies = [wait_for_build(api, namespace, build["name"], lambda b: queued(b) or begun(b)) for build in made]
    assert len(kubelet.pods()) == 5
    oldest = sorted(made, key=lambda build: (build["creationTimestamp"], build["uid"]))[:5]
    assert {body["metadata"]["uid"] for body in bodies if begun(body)} == {build["uid"] for build in oldest}
    builds.create(spec(cancel=True), name="the-end")
    versions = watch_builds(
        api, namespace, made[0]["resourceVersion"], lambda build: build["metadata"]["name"] == "the-end"
    )
    writes = [body["metadata"]["name"] for body in versions if body.get("status")]
    assert len(writes) <= 40 + 20


@pytest.mark.shows("F13")
@pytest.mark.parametrize("settings", [ONE])
def test_a_full_quota_is_waited_for_at_the_gate(
    operator: OperatorProcess,
    builds: Builds,
    kubelet: Kubelet,
    api: client.ApiClient,
    namespace: str,
):
    core = client.CoreV1Api(api)
    quota = client.V1ResourceQuota(
        metadata=client.V1ObjectMeta(name="none"), spec=client.V1ResourceQuotaSpec(hard={"pods": "0"})
    )
    core.create_namespaced_resource_quota(namespace, quota)
    full = {"status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}}
    core.patch_namespaced_resource_quota_status("none", namespace, full)
    builds.create(spec(priority=1), name="first")
    body = wait_for_build(api, namespace, "first", phase)
    assert body["status"]["reason"] == "QuotaExceeded"
    builds.create(spec(), name="second")
    body = wait_for_build(api, namespace, "second", phase)
    assert body["status"]["reason"] == "QuotaExceeded"
    core.delete_namespaced_resource_quota("none", namespace)
    # Each has its try in turn, so that a pod that is too large does not block the others.
    assert kubelet.pod()
    assert operator.is_running()
