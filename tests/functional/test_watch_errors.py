"""Errors of watches and lists that kopf ends the process after; the operator survives them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from functional.kube import Builds, spec
from functional.kubelet import Kubelet
from functional.operator_process import OperatorProcess
from imagebuild_operator.runtime.startup import CHUNK
from kubernetes import client
from support.api_faults import NOTHING, Call, Fault
from support.api_proxy import ApiProxy
from support.waiting import until
from support.watching import wait_for_build, wait_for_finish

INTERNAL = b'{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd event without a value"}}'
Behind = Callable[[], OperatorProcess]


@pytest.fixture
def operator(
    proxy: ApiProxy, crd: Path, namespace: str, api: client.ApiClient, tmp_path: Path
) -> Iterator[OperatorProcess]:
    assert crd.exists()
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    client.CoreV1Api(api).create_namespaced_service_account(namespace, account)
    process = OperatorProcess(proxy.kubeconfig(tmp_path / "kubeconfig"), namespace, tmp_path / "operator.log")
    yield process
    assert process.is_running(), process.log
    process.stop()
    assert process.surprises() == []


def is_of(call: Call, resource: str, *, watch: bool) -> bool:
    """Whether it is kopf's; the operator has lists and watches of its own."""
    is_kopfs = not call.query.keys() & {"continue", "timeoutSeconds"} and (
        watch or call.query.get("limit") == str(CHUNK)
    )
    return call.path.endswith(f"/{resource}") and is_kopfs and (call.is_watch if watch else call.is_list)


@pytest.mark.shows("F33")
@pytest.mark.parametrize("resource", ["pods", "imagebuilds"])
@pytest.mark.parametrize(
    ("fault", "watch"),
    [
        (Fault(lines=(INTERNAL,)), True),
        (Fault(lines=(b"<html>",)), True),
        (Fault(status=410, reaches=False), True),
        (Fault(status=400, reaches=False), True),
        (Fault(status=410, reaches=False), False),
    ],
    ids=["ERROR-500", "no-JSON", "watch-410", "watch-400", "list-410"],
)
def test_the_operator_survives(
    proxy: ApiProxy,
    operator: OperatorProcess,
    builds: Builds,
    kubelet: Kubelet,
    resource: str,
    fault: Fault,
    watch: bool,  # noqa: FBT001 - a parameter
):
    hit: list[Call] = []

    def decide(call: Call) -> Fault:
        if not is_of(call, resource, watch=watch) or len(hit) == 2:
            return NOTHING
        hit.append(call)
        return fault

    proxy.fault = decide
    operator.start()
    until(lambda: len(hit) == 2)
    until(lambda: operator.probe("/readyz")[0] == 200)
    builds.create(spec())
    assert kubelet.pod()
    assert operator.log.count("listing again in") == 2


def test_a_pod_that_goes_after_the_operators_list_and_before_that_of_the_watch_is_missed_by_neither(
    proxy: ApiProxy, operator: OperatorProcess, builds: Builds, kubelet: Kubelet, api: client.ApiClient
):
    operator.start()
    builds.create({**spec(), "retry": {"limit": 0}}, "abandoned")
    pod = kubelet.pod()
    wait_for_build(api, builds.namespace, "abandoned", lambda body: body.get("status", {}).get("podName"))
    operator.stop()
    lists: list[str] = []

    def decide(call: Call) -> Fault:
        if is_of(call, "pods", watch=False) and "kopf" not in lists:
            lists.append("kopf")
            # Its answer comes after the other's.
            return Fault(hold=2)
        if call.is_list and call.path.endswith("/pods") and "operator" not in lists:
            lists.append("operator")
            return Fault(after=lambda: kubelet.remove(pod))
        return NOTHING

    proxy.fault = decide
    operator.start()
    wait_for_finish(api, builds.namespace, "abandoned", timeout=20)
    assert sorted(lists) == ["kopf", "operator"]
