"""What the operator counts, read as Prometheus reads it."""

import json
import math
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from functional.kube import Builds, Json, spec
from functional.kubelet import PUSHED, Kubelet, running, terminated
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.metrics import value
from support.waiting import until
from support.watching import phase, wait_for_build, wait_for_finish

FINISHED = "imagebuild_builds_finished_total"


def test_a_build_is_counted_when_it_ends(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    builds.create(spec())
    pod = kubelet.pod()
    wait_for_build(api, namespace, "hello", phase)
    until(lambda: value(operator.metrics(), "imagebuild_builds_running") == 1)
    assert value(operator.metrics(), FINISHED, result="succeeded", reason="") == 0
    report = {"timings": {"fetchMs": 2000, "buildMs": 18000}, "cache": {"hits": 3, "misses": 1}}
    kubelet.report(pod, "Succeeded", build=terminated(0, json.dumps(report)), push=PUSHED)
    wait_for_finish(api, namespace, "hello")
    until(lambda: value(operator.metrics(), FINISHED, result="succeeded", reason="") == 1)
    until(lambda: value(operator.metrics(), "imagebuild_builds_running") == 0)
    samples = operator.metrics()
    assert value(samples, "imagebuild_build_duration_seconds_count", result="succeeded") == 1
    assert value(samples, "imagebuild_build_phase_duration_seconds_sum", phase="built") == 18
    assert value(samples, "imagebuild_cache_lookups_total", result="hit") == 3
    assert value(samples, "imagebuild_queue_wait_seconds_count") == 1
    assert value(samples, "imagebuild_attempts_finished_total", reason="") == 1
    assert value(samples, "imagebuild_api_requests_total", verb="patch", code="200") >= 2
    assert value(samples, "imagebuild_api_requests_total", verb="create", code="201") >= 1
    assert value(samples, "imagebuild_api_requests_total", verb="list", code="200") >= 2
    assert value(samples, "imagebuild_reconciles_total", result="success") <= 20
    assert value(samples, "imagebuild_work_queue_longest_running_seconds") < 30
    assert value(samples, "process_resident_memory_bytes") > 0


def named(name: str) -> Callable[[Json], bool]:
    return lambda pod: bool(pod["metadata"]["name"] == name)


def test_a_build_is_counted_by_the_process_that_wrote_its_end_and_by_no_other(
    operator: OperatorProcess,
    builds: Builds,
    kubelet: Kubelet,
    api: client.ApiClient,
    namespace: str,
    kubeconfig: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
):
    second = OperatorProcess(kubeconfig, namespace, tmp_path / "second.log")
    second.start()
    request.addfinalizer(lambda: second.stop() if second.is_running() else None)
    until(lambda: second.probe("/readyz")[0] == 200)
    for number in range(10):
        builds.create(spec(), name=f"build-{number}")
    report = json.dumps({"reason": "RunCommandFailed", "message": "RUN false failed."})
    for number in range(10):
        build = wait_for_build(api, namespace, f"build-{number}", phase)
        pod = kubelet.pod(named(build["status"]["podName"]))
        kubelet.report(pod, "Failed", build=terminated(1, report, "Error"))
    for number in range(10):
        wait_for_finish(api, namespace, f"build-{number}")

    def counted() -> float:
        pages = [process.metrics() for process in (operator, second)]
        return sum(value(page, FINISHED, result="failed", reason="RunCommandFailed") for page in pages)

    until(lambda: counted() == 10)
    second.stop()
    operator.stop(signal.SIGKILL)
    operator.start()
    until(lambda: operator.probe("/readyz")[0] == 200)
    # One that comes after shows that those before have been seen.
    builds.create(spec(cancel=True), name="last")
    until(lambda: value(operator.metrics(), FINISHED, result="cancelled", reason="Cancelled") == 1)
    assert value(operator.metrics(), FINISHED, result="failed", reason="RunCommandFailed") == 0


@pytest.mark.parametrize("settings", [{"metrics": {"namespaceLabels": True}, "admission": {"maxRunning": 1}}])
def test_metrics_on_builds_can_be_told_apart_by_namespace(
    operator: OperatorProcess, builds: Builds, kubelet: Kubelet, namespace: str
):
    builds.create(spec(), name="first")
    kubelet.report(kubelet.pod(), "Running", build=running())
    builds.create(spec(), name="second")
    until(lambda: value(operator.metrics(), "imagebuild_builds_queued", build_namespace=namespace) == 1)
    # A build runs once its pod is seen, and its wait is counted once its status is written.
    until(lambda: value(operator.metrics(), "imagebuild_queue_wait_seconds_count", build_namespace=namespace) == 1)
    samples = operator.metrics()
    assert value(samples, "imagebuild_builds_running", build_namespace=namespace) == 1
    assert math.isnan(value(samples, "imagebuild_builds_running"))
