"""A ResourceQuota that is full, below an operator without limits of its own."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from functional.kube import Builds, spec
from functional.kubelet import Kubelet
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.api_faults import Call
from support.api_proxy import ApiProxy
from support.waiting import until
from support.watching import wait_for_build

COUNT = 12
FAILED = {"terminated": {"exitCode": 1, "startedAt": "2026-11-24T08:00:00Z", "finishedAt": "2026-11-24T08:00:01Z"}}


@pytest.fixture
def operator(proxy: ApiProxy, crd: Path, api: client.ApiClient, namespace: str, tmp_path: Path) -> Iterator[None]:
    assert crd.exists()
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    client.CoreV1Api(api).create_namespaced_service_account(namespace, account)
    process = OperatorProcess(proxy.kubeconfig(tmp_path / "proxy.yaml"), namespace, tmp_path / "operator.log")
    process.start()
    yield
    process.stop()
    assert process.surprises() == []


def kind_of(call: Call) -> str:
    """What a call is, without the names in it."""
    place = next(
        (part for part in ("status", "events", "defaults", "imagebuilds", "pods") if part in call.path), "other"
    )
    return f"{call.method} {place}"


@pytest.mark.shows("F13")
@pytest.mark.usefixtures("operator")
def test_builds_that_wait_for_a_quota_cost_few_calls_and_begin_when_a_pod_ends(
    proxy: ApiProxy, builds: Builds, kubelet: Kubelet, api: client.ApiClient, namespace: str
):
    core = client.CoreV1Api(api)
    core.create_namespaced_resource_quota(
        namespace,
        client.V1ResourceQuota(
            metadata=client.V1ObjectMeta(name="small"), spec=client.V1ResourceQuotaSpec(hard={"pods": "1"})
        ),
    )

    def count(used: int) -> None:
        body = {"status": {"hard": {"pods": "1"}, "used": {"pods": str(used)}}}
        core.patch_namespaced_resource_quota_status("small", namespace, body)

    def tries() -> int:
        return sum(call.method == "POST" and call.path.endswith("/pods") for call in proxy.calls)

    count(0)
    names = [f"build-{number}" for number in range(COUNT)]
    for name in names:
        builds.create(spec(retry={"limit": 0}), name=name)
    pod = kubelet.pod()
    first = pod["metadata"]["ownerReferences"][0]["name"]
    for name in set(names) - {first}:
        body = wait_for_build(api, namespace, name, lambda body: (body.get("status") or {}).get("reason"))
        assert body["status"]["reason"] == "QuotaExceeded"

    # What a wait costs: a try now and then, whatever the quota says is used.
    before, begin = tries(), len(proxy.calls)
    for used in (2, 3):
        count(used)
        until(lambda used=used: tries() > before + used - 2, timeout=60)  # type: ignore[misc]
    after = tries()
    made = Counter(kind_of(call) for call in proxy.calls[begin:] if not call.is_watch and "leases" not in call.path)
    tried = after - before
    assert made["POST pods"] <= tried + 1
    assert made["PATCH status"] <= tried + COUNT  # Each is told once of its own refusal, or of its place.
    assert made["GET defaults"] <= tried + 1
    assert made["GET imagebuilds"] <= tried + 1

    count(0)
    kubelet.report(pod, "Failed", build=FAILED)
    second = kubelet.pod_after(pod)
    assert second["metadata"]["ownerReferences"][0]["name"] != first
