"""What keeps a build waiting is told in the words of those who know, and gone when it heals; with a real kubelet."""

from collections.abc import Callable
from typing import Any

from e2e.test_builds import build
from functional.kube import Builds
from kubernetes import client
from support.registry import Registry
from support.watching import wait_for_build, wait_for_finish

Json = dict[str, Any]

SMALL = {"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}


def waits_for(reason: str) -> Callable[[Json], bool]:
    return lambda body: (body.get("status") or {}).get("reason") == reason


def test_a_build_goes_on_when_what_it_waits_for_is_there(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    core: Any = client.CoreV1Api(api)
    label = f"example.com/{namespace}"
    waits: dict[str, Json] = {
        "account": {"serviceAccountName": "late"},
        "node": {"nodeSelector": {label: "late"}},
        "pull": {"nodeSelector": {f"{label}-pull": "late"}},
    }
    for name, placement in waits.items():
        spec = build(SMALL, f"{registry.name}/{namespace}/{name}:1", podTemplate={"spec": placement})
        builds.create(spec, name=name)
    node, *_ = core.list_node().items
    # The operator's builder image is there, so its pod waits for a node, and gets another image before it has one.
    status = wait_for_build(api, namespace, "pull", waits_for("Unschedulable"))["status"]
    pod = core.read_namespaced_pod(status["podName"], namespace)
    for kind in ("init_containers", "containers"):
        for container in getattr(pod.spec, kind) or ():
            container.image = f"{registry.name}/no/such-builder:1"
    core.replace_namespaced_pod(status["podName"], namespace, pod)
    core.patch_node(node.metadata.name, {"metadata": {"labels": {f"{label}-pull": "late"}}})
    for name, reason, words in (
        ("account", "ServiceAccountNotFound", 'serviceaccount "late" not found'),
        ("node", "Unschedulable", "node(s) didn't match Pod's node affinity/selector"),
        ("pull", "BuilderImagePullFailed", "no/such-builder:1"),
    ):
        status = wait_for_build(api, namespace, name, waits_for(reason))["status"]
        assert (status["reason"], words in status["message"]) == (reason, True), status
    core.create_namespaced_service_account(namespace, {"metadata": {"name": "late"}})
    core.patch_node(node.metadata.name, {"metadata": {"labels": {label: "late"}}})
    builds.patch({"spec": {"cancel": True}}, name="pull")
    for name, phase in (("account", "Succeeded"), ("node", "Succeeded"), ("pull", "Cancelled")):
        assert wait_for_finish(api, namespace, name)["phase"] == phase
    core.patch_node(node.metadata.name, {"metadata": {"labels": {label: None, f"{label}-pull": None}}})
