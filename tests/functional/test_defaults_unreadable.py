"""ImageBuildDefaults that the operator may not read, as below the RBAC of an older chart."""

from pathlib import Path

import pytest
from functional.kube import Builds, Defaults, spec
from functional.kubelet import Kubelet
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.api_faults import NOTHING, Fault
from support.api_proxy import ApiProxy
from support.metrics import value
from support.waiting import until
from support.watching import wait_for_build

FORBIDDEN = Fault(reaches=False, status=403)


@pytest.mark.shows("F28")
def test_builds_wait_until_their_defaults_can_be_read(
    kubeconfig: Path,
    builds: Builds,
    defaults: Defaults,
    kubelet: Kubelet,
    api: client.ApiClient,
    namespace: str,
    tmp_path: Path,
):
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="default"))
    client.CoreV1Api(api).create_namespaced_service_account(namespace, account)
    defaults.create({"pullSecretRefs": [{"name": "team-pull"}]})
    with ApiProxy(kubeconfig).running() as proxy:
        operator = OperatorProcess(proxy.kubeconfig(tmp_path / "proxy.yaml"), namespace, tmp_path / "operator.log")
        operator.start()
        builds.create(spec(), name="running")
        running = kubelet.pod()
        operator.stop()

        proxy.fault = lambda call: FORBIDDEN if "imagebuilddefaults" in call.path else NOTHING
        operator.start()
        builds.create(spec(), name="waiting")
        body = wait_for_build(
            api, namespace, "waiting", lambda body: (body.get("status") or {}).get("reason") == "DefaultsUnreadable"
        )
        assert body["status"]["phase"] == "Queued"
        assert "The operator may not list ImageBuildDefaults" in operator.probe("/readyz")[1]
        assert operator.probe("/healthz")[0] == 200
        assert value(operator.metrics(), "imagebuild_defaults_unreadable") == 1
        assert f"The ImageBuildDefaults of namespace {namespace} cannot be listed" in operator.log
        # What has started goes on.
        started = {"running": {"startedAt": "2026-11-24T08:00:00Z"}}
        kubelet.report(running, "Running", build=started)
        wait_for_build(api, namespace, "running", lambda body: body["status"]["phase"] == "Building")
        assert kubelet.pods() == [running["metadata"]["name"]]

        proxy.fault = lambda _: NOTHING
        pod = kubelet.pod_after(running)
        names = [each["name"] for container in pod["spec"]["initContainers"] for each in container["env"]]
        assert "DOCKER_CONFIG_JSON" in names
        until(lambda: operator.probe("/readyz")[0] == 200)
        assert value(operator.metrics(), "imagebuild_defaults_unreadable") == 0
        operator.stop()
        assert operator.surprises() == []
