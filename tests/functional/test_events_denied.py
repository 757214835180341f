"""An operator that may not list Events explains less, and builds all the same."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from functional.kube import Builds, spec
from functional.kubelet import Kubelet
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.api_faults import NOTHING, Call, Fault
from support.api_proxy import ApiProxy
from support.waiting import until
from support.watching import wait_for_finish


@pytest.fixture
def proxy(kubeconfig: Path) -> Iterator[ApiProxy]:
    with ApiProxy(kubeconfig).running() as proxy:
        yield proxy


@pytest.mark.shows("F41")
def test_a_build_goes_on_where_events_cannot_be_listed(
    proxy: ApiProxy, builds: Builds, crd: Path, namespace: str, api: client.ApiClient, kubelet: Kubelet, tmp_path: Path
):
    assert crd.exists()
    client.CoreV1Api(api).create_namespaced_service_account(
        namespace, client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    )
    denied: list[Call] = []

    def decide(call: Call) -> Fault:
        if call.method == "GET" and call.path.endswith("/events"):
            denied.append(call)
            return Fault(status=403, reaches=False)
        return NOTHING

    proxy.fault = decide
    process = OperatorProcess(proxy.kubeconfig(tmp_path / "kubeconfig"), namespace, tmp_path / "operator.log")
    process.start()
    try:
        builds.create({**spec(), "timeoutSeconds": 10})
        pod = kubelet.pod()
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": moment}
        kubelet.write(pod, {"phase": "Pending", "conditions": [scheduled]})
        until(lambda: denied)
        # The status is written, and the deadline ends it.
        assert wait_for_finish(api, namespace, "hello", timeout=60)["reason"] == "DeadlineExceeded"
    finally:
        process.stop()
    assert process.surprises() == []
