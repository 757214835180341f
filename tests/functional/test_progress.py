"""The step that a build is at, and what a build costs the API server while it is told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from functional.kube import Builds, Json, spec
from functional.kubelet import PUSHED, Kubelet, running, terminated, waiting
from functional.node import Node, serve_node
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.metrics import value
from support.waiting import until
from support.watching import phase, wait_for_build, wait_for_finish

LOG = """\
2026-11-24T08:00:01.000000001Z kaniko-shim: fetching the build context
2026-11-24T08:00:02.000000002Z kaniko-shim: progress: stage=1/1 step=2/3 instruction="RUN make"
2026-11-24T08:00:03.000000003Z make: Entering directory '/src'
"""
STEP = {"summary": "2/3", "step": 2, "steps": 3, "stage": 1, "stages": 1, "instruction": "RUN make"}
PROGRESS = {**STEP, "startTime": "2026-11-24T08:00:02Z"}


@pytest.fixture
def node(api: client.ApiClient, namespace: str, tmp_path: Path) -> Iterator[Node]:
    """A node that has logs."""
    with serve_node(api, f"node-{namespace}", tmp_path) as served:
        yield served


def started(seconds_ago: float) -> dict[str, Any]:
    moment = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return {"running": {"startedAt": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}}


def is_in(wanted: str, build: Json) -> bool:
    return phase(build) == wanted


def requests(operator: OperatorProcess, verb: str) -> float:
    """How many requests of one kind the API server has taken."""
    codes = ("200", "201")
    counts = [value(operator.metrics(), "imagebuild_api_requests_total", verb=verb, code=code) for code in codes]
    return sum(count for count in counts if count > 0)


def test_a_build_shows_the_step_that_it_is_at_for_as_long_as_it_builds(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, node: Node, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    pod = kubelet.pod()
    name = pod["metadata"]["name"]
    kubelet.bind(pod, node.name)
    node.logs[name] = LOG
    kubelet.report(pod, "Pending", build=started(60))
    body = wait_for_build(api, namespace, "hello", lambda build: "progress" in build.get("status", {}))
    assert (body["status"]["phase"], body["status"]["progress"]) == ("Building", PROGRESS)
    kubelet.report(pod, "Running", build=terminated(0, "{}"), push=running())
    body = wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Pushing")
    assert "progress" not in body["status"]
    kubelet.report(pod, "Succeeded", push=PUSHED)
    assert "progress" not in wait_for_finish(api, namespace, "hello")
    limits = {"timestamps": "true", "tailLines": "600", "limitBytes": str(256 * 1024)}
    assert node.asked == [{"namespace": namespace, "pod": name, "container": "build", **limits}]
    assert requests(operator, "patch") <= 5


def test_a_log_that_cannot_be_read_is_no_error(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, node: Node, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    pod = kubelet.pod()
    kubelet.bind(pod, node.name)
    kubelet.report(pod, "Pending", build=started(60))
    until(lambda: node.asked)
    kubelet.report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    assert wait_for_finish(api, namespace, "hello")["phase"] == "Succeeded"
    assert " log of " not in operator.log
    assert [line for line in operator.log.splitlines() if "WARNING" in line or "ERROR" in line] == []


def test_a_node_that_does_not_answer_keeps_few_waiting(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, node: Node, api: client.ApiClient, namespace: str
):
    node.answers.clear()
    names = [f"build-{number}" for number in range(6)]
    pods: list[Json] = []
    for name in names:
        builds.create(spec(), name=name)
        pods.append(kubelet.pod_after(*pods))
        node.logs[pods[-1]["metadata"]["name"]] = LOG
        kubelet.bind(pods[-1], node.name)
    for pod in pods:
        kubelet.report(pod, "Pending", build=started(60))
    until(lambda: [phase(builds.get(name)) for name in names].count("Building") >= 2)
    until(lambda: len(node.asked) >= 4)
    assert len(node.asked) == 4
    node.answers.set()
    for name in names:
        wait_for_build(api, namespace, name, lambda build: "progress" in build.get("status", {}))
    assert operator.is_running()


@pytest.mark.parametrize("settings", [{"progress": {"enabled": False}}])
def test_no_log_is_read_where_nobody_wants_progress(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, node: Node, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    pod = kubelet.pod()
    kubelet.bind(pod, node.name)
    node.logs[pod["metadata"]["name"]] = LOG
    kubelet.report(pod, "Pending", build=started(60))
    wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Building")
    kubelet.report(pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)
    assert "progress" not in wait_for_finish(api, namespace, "hello")
    assert node.asked == []
    assert operator.is_running()


@pytest.mark.shows("F22")
def test_a_success_costs_six_writes_beside_its_events_and_few_reconciliations(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, node: Node, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    pod = kubelet.pod()
    kubelet.bind(pod, node.name)
    node.logs[pod["metadata"]["name"]] = LOG
    built = terminated(0, "{}")
    # About as often as a kubelet writes: each container waits, runs and ends, and conditions and addresses come and go.
    for reached, states in (
        ("Preparing", {"build": waiting("PodInitializing", ""), "push": waiting("PodInitializing", "")}),
        ("Preparing", {"build": waiting("PodInitializing", ""), "hostIP": "127.0.0.1"}),
        ("Building", {"build": started(0)}),
        ("Building", {"build": started(0), "podIP": "10.88.0.7"}),
        ("Pushing", {"build": built}),
        ("Pushing", {"build": built, "push": running()}),
        ("Succeeded", {"build": built, "push": PUSHED}),
    ):
        kubelet.report(pod, "Succeeded" if reached == "Succeeded" else "Pending", **states)
        wait_for_build(api, namespace, "hello", partial(is_in, reached))
    until(lambda: kubelet.pods() == [])
    events = client.CoreV1Api(api).list_namespaced_event(namespace, field_selector="involvedObject.name=hello").items
    written = {verb: requests(operator, verb) for verb in ("create", "patch", "delete")}
    assert written == {"create": 1 + len(events), "patch": 4, "delete": 1}
    assert {event.reason for event in events} == {"Preparing", "Building", "Pushing", "Succeeded"}
    assert value(operator.metrics(), "imagebuild_reconciles_total", result="success") <= 20
    assert node.asked == []
