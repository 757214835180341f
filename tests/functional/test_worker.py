"""The leader's work on what the watches did not show, and on answers that lead nowhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from functional.kube import Builds, spec
from functional.kubelet import Kubelet, running
from functional.worker_thread import WorkerThread, use_kubeconfig
from imagebuild_operator.decide.retention import EXPIRING
from kubernetes import client
from support.api_faults import NOTHING, Call, Fault
from support.api_proxy import ApiProxy
from support.metrics import value
from support.waiting import until
from support.watching import phase, wait_for_build, wait_for_deletion, wait_for_finish

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
@pytest.mark.parametrize("fields", ["", "status.phase!=Succeeded"])
def test_a_resync_finds_what_no_watch_has_shown(
    proxy: ApiProxy, builds: Builds, kubelet: Kubelet, namespace: str, fields: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("imagebuild_operator.controller.worker.RESYNC_INTERVAL", 0.2)
    with WorkerThread(namespace, fields).running():
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


FIELDS = ",".join(f"status.phase!={phase}" for phase in ("Succeeded", "Failed", "Cancelled"))


def is_ttl_watch(call: Call) -> bool:
    return call.is_watch and call.query.get("fieldSelector") == EXPIRING


def expire(builds: Builds) -> None:
    """Create a build that is finished, and long past its TTL."""
    builds.create(spec(ttlSecondsAfterFinished=0), name="expired")
    builds.patch_status({"phase": "Succeeded", "completionTime": "2026-11-24T08:00:00Z"}, name="expired")


@pytest.mark.shows("F34")
def test_a_ttl_watch_that_ends_at_once_is_retried_with_a_backoff(
    proxy: ApiProxy, namespace: str, caplog: pytest.LogCaptureFixture
):
    proxy.fault = lambda call: Fault(status=200, reaches=False, text=b"") if is_ttl_watch(call) else NOTHING
    with WorkerThread(namespace, FIELDS).running():
        until(lambda: len([call for call in proxy.calls if is_ttl_watch(call)]) >= 4)
        watches = len([call for call in proxy.calls if is_ttl_watch(call)])
    delays = [record for record in caplog.records if "Watching builds with a TTL" in record.getMessage()]
    assert len(delays) >= watches - 1


@pytest.mark.shows("F34")
@pytest.mark.parametrize(
    "line",
    [b"<html>", b"{}", b'["ADDED"]', b'{"type": "ADDED", "object": 7}', b'{"type": "ADDED", "object": {}}'],
)
def test_a_ttl_watch_outlives_a_line_that_is_no_event(
    proxy: ApiProxy, builds: Builds, api: client.ApiClient, namespace: str, line: bytes
):
    broken: list[Call] = []

    def fault(call: Call) -> Fault:
        if not is_ttl_watch(call) or broken:
            return NOTHING
        broken.append(call)
        return Fault(lines=(line,))

    proxy.fault = fault
    with WorkerThread(namespace, FIELDS).running():
        until(lambda: broken)
        expire(builds)
        wait_for_deletion(api, namespace, "expired")


@pytest.mark.shows("F34")
def test_a_silent_ttl_watch_is_started_again(proxy: ApiProxy, builds: Builds, api: client.ApiClient, namespace: str):
    with WorkerThread(namespace, FIELDS, watch_silence=0.5).running():
        until(lambda: [call for call in proxy.calls if is_ttl_watch(call)])
        expire(builds)
        wait_for_deletion(api, namespace, "expired")
        until(lambda: len([call for call in proxy.calls if is_ttl_watch(call)]) >= 2)


@pytest.mark.usefixtures("proxy")
def test_the_ttl_watch_is_in_the_metrics_and_in_what_the_probes_look_at(
    builds: Builds, api: client.ApiClient, namespace: str
):
    with WorkerThread(namespace, FIELDS).running() as worker:
        expire(builds)
        wait_for_deletion(api, namespace, "expired")
        until(lambda: value(worker.metrics(), "imagebuild_api_requests_total", verb="watch", code="200") >= 1)
        assert list(worker.watch_ages()) == ["imagebuilds-ttl"]
    with WorkerThread(namespace).running() as worker:
        assert worker.watch_ages() == {}
