"""The probes: what makes the operator restart, and what does not."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from functional.kube import Builds, spec
from functional.kubelet import Kubelet
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.api_faults import NOTHING, Fault
from support.api_proxy import ApiProxy
from support.metrics import value
from support.waiting import until

#: Short, since a watch counts as stalled after three times as long. A quiet watch is opened again each time.
SILENCE = 1


@pytest.fixture
def operator(
    proxy: ApiProxy, crd: Path, namespace: str, api: client.ApiClient, tmp_path: Path
) -> Iterator[OperatorProcess]:
    """An operator that reaches the API server through the proxy."""
    assert crd.exists()
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    client.CoreV1Api(api).create_namespaced_service_account(namespace, account)
    kubeconfig = proxy.kubeconfig(tmp_path / "proxy.yaml")
    process = OperatorProcess(
        kubeconfig, namespace, tmp_path / "operator.log", {"watches": {"silenceSeconds": SILENCE}}
    )
    process.start()
    yield process
    process.stop()
    assert process.surprises() == []


def silence(operator: OperatorProcess) -> float:
    """Seconds since a watch has received something, as the metrics tell."""
    return time.time() - value(operator.metrics(), "imagebuild_watch_last_progress_timestamp_seconds", resource="pods")


def test_a_stalled_watch_fails_the_liveness_probe_until_it_goes_on(
    operator: OperatorProcess, proxy: ApiProxy, builds: Builds, kubelet: Kubelet
):
    until(lambda: operator.probe("/readyz")[0] == 200)
    until(lambda: {"imagebuilds", "pods"} <= {call.path.rpartition("/")[2] for call in proxy.calls if call.is_watch})
    assert operator.probe("/healthz") == (200, "ok\n")
    proxy.is_mute = True
    # The operator lists everything itself after each watch has started, and does not wait with its readiness for that.
    proxy.fault = lambda call: Fault(status=503, reaches=False) if "continue" in call.query else NOTHING
    builds.create(spec())
    until(lambda: "The watch of imagebuilds has received nothing for" in operator.probe("/healthz")[1])
    assert operator.probe("/healthz")[0] == 503
    assert kubelet.pods() == []
    proxy.is_mute = False
    # What it has missed comes when the watch is opened again, without a list.
    kubelet.pod()
    until(lambda: "imagebuilds has" not in operator.probe("/healthz")[1])


def test_an_api_server_that_is_down_does_not_fail_it(
    operator: OperatorProcess, proxy: ApiProxy, builds: Builds, kubelet: Kubelet
):
    until(lambda: operator.probe("/readyz")[0] == 200)
    proxy.is_down = True
    until(lambda: silence(operator) > 5 * SILENCE)
    assert operator.probe("/healthz") == (200, "ok\n")
    assert value(operator.metrics(), "imagebuild_api_requests_total", verb="list", code="error") >= 1
    proxy.is_down = False
    builds.create(spec())
    kubelet.pod()


def test_an_operator_that_has_seen_nothing_yet_is_not_ready(operator: OperatorProcess, proxy: ApiProxy):
    proxy.is_down = True
    operator.stop()
    operator.start()
    until(lambda: operator.probe("/readyz") == (503, "The first lists of ImageBuilds and pods are incomplete.\n"))
    assert operator.probe("/healthz")[0] == 200
    proxy.is_down = False
    until(lambda: operator.probe("/readyz")[0] == 200)


def test_a_login_that_has_expired_is_renewed(
    operator: OperatorProcess, proxy: ApiProxy, builds: Builds, kubelet: Kubelet
):
    until(lambda: operator.probe("/readyz")[0] == 200)
    proxy.is_rejecting = True
    until(lambda: value(operator.metrics(), "imagebuild_api_requests_total", verb="watch", code="401") >= 1)
    proxy.is_rejecting = False
    builds.create(spec())
    kubelet.pod()
