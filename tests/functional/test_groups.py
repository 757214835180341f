"""Builds that belong together, against a real API server."""

import signal
from typing import Any

import pytest
from functional.kube import Builds, spec
from functional.kubelet import PUSHED, Kubelet, running, terminated
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.watching import phase, wait_for_build, wait_for_finish

Json = dict[str, Any]


def in_group(policy: str, **fields: object) -> Json:
    return spec(concurrency={"group": "main", "policy": policy}, **fields)


def wait_for_another_second(builds: Builds, name: str) -> None:
    """Wait until what is created is younger than a build: an operator that starts knows no order of waiting twins."""
    before = builds.get(name)["metadata"]["creationTimestamp"]
    config_map = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="clock"))
    core = client.CoreV1Api(builds.api.api_client)
    while True:
        made = core.create_namespaced_config_map(builds.namespace, config_map, dry_run="All")
        assert made.metadata
        assert made.metadata.creation_timestamp
        if made.metadata.creation_timestamp.strftime("%Y-%m-%dT%H:%M:%SZ") > before:
            return


@pytest.mark.usefixtures("operator")
def test_serial_builds_run_one_after_the_other(builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str):
    builds.create(in_group("Serial"), name="one")
    pod = kubelet.pod()
    wait_for_build(api, namespace, "one", lambda build: phase(build) == "Preparing")
    builds.create(in_group("Serial"), name="two")
    body = wait_for_build(api, namespace, "two", phase)
    assert (body["status"]["phase"], body["status"]["reason"]) == ("Queued", "GroupBusy")
    builds.create(spec(), name="ungrouped")
    wait_for_build(api, namespace, "ungrouped", lambda build: phase(build) == "Preparing")
    kubelet.report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    wait_for_build(api, namespace, "two", lambda build: phase(build) == "Preparing")


def test_the_latest_supersedes_those_that_wait_although_the_operator_is_killed(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(in_group("Latest"), name="one")
    pod = kubelet.pod()
    wait_for_build(api, namespace, "one", lambda build: phase(build) == "Preparing")
    builds.create(in_group("Latest", priority=1), name="two")
    wait_for_build(api, namespace, "two", lambda build: phase(build) == "Queued")
    operator.stop(signal.SIGKILL)
    wait_for_another_second(builds, "two")
    builds.create(in_group("Latest"), name="newest")
    operator.start()
    status = wait_for_finish(api, namespace, "two")
    assert (status["phase"], status["reason"]) == ("Cancelled", "Superseded")
    kubelet.report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    wait_for_build(api, namespace, "newest", lambda build: phase(build) == "Preparing")
    assert wait_for_finish(api, namespace, "one")["phase"] == "Succeeded"


@pytest.mark.usefixtures("operator")
def test_a_running_build_is_superseded_where_asked(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(in_group("Latest"), name="one")
    pod = kubelet.pod()
    kubelet.report(pod, "Running", build=running())
    wait_for_build(api, namespace, "one", lambda build: phase(build) == "Building")
    builds.create(in_group("LatestCancelRunning"), name="two")
    status = wait_for_finish(api, namespace, "one")
    assert (status["phase"], status["reason"]) == ("Cancelled", "Superseded")
    wait_for_build(api, namespace, "two", lambda build: phase(build) == "Preparing")


@pytest.mark.usefixtures("operator")
def test_a_queue_of_kueue_gets_the_pod_and_its_gate_is_shown(
    builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec(queueName="builds"))
    pod = kubelet.pod()
    assert pod["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "builds"
    gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "gated"}
    kubelet.report(pod, "Pending", conditions=[gated])
    wait_for_build(api, namespace, "hello", lambda build: build.get("status", {}).get("reason") == "Gated")
    kubelet.report(pod, "Running", build=running(), conditions=[{**gated, "status": "True", "reason": ""}])
    wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Building")
