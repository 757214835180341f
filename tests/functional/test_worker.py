"""The leader's work on what the watches did not show, and on answers that lead nowhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from functional.kube import Builds, spec
from functional.kubelet import Kubelet, running
from functional.worker_thread import WorkerThread, use_kubeconfig
from kubernetes import client
from support.api_faults import NOTHING, Call, Fault
from support.api_proxy import ApiProxy
from support.metrics import value
from support.waiting import until
from support.watching import phase, wait_for_build, wait_for_finish

RECONCILES = "imagebuild_reconciles_total"


@pytest.fixture(autouse=True)
def service_account(api: client.ApiClient, namespace: str) -> None:
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    client.CoreV1Api(api).create_namespaced_service_account(namespace, account)


@pytest.fixture
def proxy(kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiProxy]:
    with ApiProxy(kubeconfig).running() as proxy:
        use_kubeconfig(monkeypatch, proxy.kubeconfig(tmp_path / "kubeconfig"))
        yield proxy


@pytest.mark.shows("F31")
def test_a_resync_finds_what_no_watch_has_shown(
    proxy: ApiProxy, builds: Builds, kubelet: Kubelet, namespace: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("imagebuild_operator.controller.worker.RESYNC_INTERVAL", 0.2)
    with WorkerThread(namespace).running():
        until(lambda: [call for call in proxy.calls if call.is_list and call.path.endswith("/pods")])
        builds.create(spec())
        assert kubelet.pod()["metadata"]["ownerReferences"][0]["name"] == "hello"


@pytest.mark.shows("F31")
def test_a_build_ends_although_nobody_saw_its_pod_go(
    proxy: ApiProxy, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    with WorkerThread(namespace).running() as worker:
        worker.build_seen(builds.create(spec()))
        pod = kubelet.pod()
        wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Preparing")
        kubelet.report(pod, "Running", build=running())
        worker.pod_seen(kubelet.pod(lambda body: body["status"]["phase"] == "Running"))
        wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Building")
        kubelet.remove(pod)
        worker.build_seen(builds.patch({"spec": {"cancel": True}}))
        assert wait_for_finish(api, namespace, "hello", timeout=20)["phase"] == "Cancelled"
    assert [call.path.rpartition("/")[2] for call in proxy.writes if call.method == "DELETE"] == [
        pod["metadata"]["name"]
    ]


@pytest.mark.shows("F32")
def test_a_write_that_always_conflicts_is_retried_with_a_backoff_and_counted_as_an_error(
    proxy: ApiProxy, builds: Builds, namespace: str, caplog: pytest.LogCaptureFixture
):
    def fault(call: Call) -> Fault:
        return Fault(status=409, reaches=False) if call.method == "PATCH" else NOTHING

    proxy.fault = fault
    with WorkerThread(namespace).running() as worker:
        worker.build_seen(builds.create(spec()))
        until(lambda: len([call for call in proxy.writes if call.method == "PATCH"]) >= 3)
        samples = worker.metrics()
    runs = {dict(labels)["result"]: runs for (name, labels), runs in samples.items() if name == RECONCILES}
    # The first run creates the pod, and leaves the status to the next.
    assert runs.pop("success") == 1
    assert {result for result, number in runs.items() if number} == {"error"}
    delays = [record.args[2] for record in caplog.records if "retrying in" in record.msg]  # type: ignore[index]
    assert len(delays) >= 2
    assert min(delays) >= 0.25  # type: ignore[type-var, operator]


def test_a_conflict_with_a_newer_version_is_retried_at_once(
    proxy: ApiProxy, builds: Builds, api: client.ApiClient, namespace: str, caplog: pytest.LogCaptureFixture
):
    conflicts: list[Call] = []

    def fault(call: Call) -> Fault:
        if call.method != "PATCH" or conflicts:
            return NOTHING
        conflicts.append(call)
        return Fault(before=lambda: builds.patch({"metadata": {"labels": {"touched": "yes"}}}))

    proxy.fault = fault
    with WorkerThread(namespace).running() as worker:
        worker.build_seen(builds.create(spec()))
        wait_for_build(api, namespace, "hello", lambda build: phase(build) == "Preparing")
        until(lambda: value(worker.metrics(), "imagebuild_reconciles_total", result="success") >= 2)
        assert value(worker.metrics(), "imagebuild_reconciles_total", result="conflict") == 1
    assert "retrying in" not in caplog.text


def test_a_build_that_came_while_the_lease_was_lost_for_a_moment_is_not_forgotten(
    proxy: ApiProxy, builds: Builds, kubelet: Kubelet, namespace: str
):
    with WorkerThread(namespace).running() as worker:
        until(lambda: [call for call in proxy.calls if call.is_list and call.path.endswith("/pods")])
        worker.is_leader = False
        worker.build_seen(builds.create(spec()))
        until(lambda: value(worker.metrics(), "imagebuild_reconciles_total", result="error") >= 1)
        assert proxy.writes == []
        worker.is_leader = True
        assert kubelet.pod()
