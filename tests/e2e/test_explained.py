"""What keeps a build waiting is told in the words of those who know, and gone when it heals; with a real kubelet."""

from typing import Any

from e2e.test_builds import build
from functional.kube import Builds
from imagebuild_operator.api.parse import parse_build, parse_spec
from imagebuild_operator.pod.manifest import build_pod
from imagebuild_operator.settings import BuildDefaults
from kubernetes import client
from support.registry import Registry
from support.watching import wait_for_build, wait_for_finish

Json = dict[str, Any]

SMALL = {"Dockerfile": "FROM scratch\nCOPY Dockerfile /\n"}


def waits_for_something(body: Json) -> bool:
    return (body.get("status") or {}).get("reason") not in {None, "Suspended"}


def test_a_build_goes_on_when_what_it_waits_for_is_there(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    core: Any = client.CoreV1Api(api)
    waits: dict[str, Json] = {
        "account": {"serviceAccountName": "late"},
        "node": {"nodeSelector": {f"example.com/{namespace}": "late"}},
    }
    for name, placement in waits.items():
        spec = build(SMALL, f"{registry.name}/{namespace}/{name}:1", podTemplate={"spec": placement})
        builds.create(spec, name=name)
    # The operator's builder image is there: a pod of the same name that is made before its own has one that is not.
    body = builds.create(build(SMALL, f"{registry.name}/{namespace}/pull:1", suspend=True), name="pull")
    held = parse_build(body)
    no_such_builder = BuildDefaults(builder_image=f"{registry.name}/no/such-builder:1", check_push=False)
    core.create_namespaced_pod(namespace, build_pod(held, parse_spec(held.spec), no_such_builder))
    for name, reason, words in (
        ("account", "ServiceAccountNotFound", 'serviceaccount "late" not found'),
        ("node", "Unschedulable", "node(s) didn't match Pod's node affinity/selector"),
        ("pull", "BuilderImagePullFailed", "no/such-builder:1"),
    ):
        status = wait_for_build(api, namespace, name, waits_for_something)["status"]
        assert (status["reason"], words in status["message"]) == (reason, True), status
    core.create_namespaced_service_account(namespace, {"metadata": {"name": "late"}})
    node, *_ = core.list_node().items
    label = f"example.com/{namespace}"
    core.patch_node(node.metadata.name, {"metadata": {"labels": {label: "late"}}})
    builds.patch({"spec": {"cancel": True}}, name="pull")
    for name, phase in (("account", "Succeeded"), ("node", "Succeeded"), ("pull", "Cancelled")):
        assert wait_for_finish(api, namespace, name)["phase"] == phase
    core.patch_node(node.metadata.name, {"metadata": {"labels": {label: None}}})
