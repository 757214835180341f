"""Builds in the queues of a real Kueue, with the manifests of docs/how-to/kueue.md."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from environment import with_programs
from functional.kube import Builds, Kubectl
from kubernetes import client
from support.kueue import chart, kueue_installed
from support.pages import block_with, manifests
from support.registry import Registry
from support.waiting import until
from support.watching import phase, wait_for_build, wait_for_finish, wait_for_no_pods, wait_for_pod

Json = dict[str, Any]
PAGE = "how-to/kueue.md"
RUNNING = "FROM busybox\nRUN sleep 300\n"
#: What one build requests, and less than twice as much for all.
REQUEST, QUOTA = "200m", "300m"


@pytest.fixture(scope="module", autouse=True)
def kueue(
    registry: Registry, kubectl: Kubectl, cluster: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Kueue with the values of the page."""
    values = block_with(PAGE, "yaml", "managerConfig:")
    with kueue_installed(registry, kubectl, with_programs(cluster), values, tmp_path_factory.mktemp("kueue")):
        yield


@pytest.fixture
def queue(kubectl: Kubectl, namespace: str) -> Iterator[None]:
    """The queue of the page in the namespace of the test, with quota for one build."""
    selector = yaml.safe_load(
        yaml.safe_load(block_with(PAGE, "yaml", "managerConfig:"))["managerConfig"]["controllerManagerConfigYaml"]
    )["managedJobsNamespaceSelector"]["matchLabels"]
    kubectl("label", "namespace", namespace, *(f"{key}={value}" for key, value in selector.items()))
    objects = manifests(PAGE, "ResourceFlavor", "ClusterQueue", "LocalQueue", "WorkloadPriorityClass")
    for each in objects:
        if each["kind"] == "ClusterQueue":
            (flavor,) = each["spec"]["resourceGroups"][0]["flavors"]
            (cpu,) = (resource for resource in flavor["resources"] if resource["name"] == "cpu")
            cpu["nominalQuota"] = QUOTA
        if "namespace" in each["metadata"]:
            each["metadata"]["namespace"] = namespace
    # Its webhook may answer only a moment after its pod is ready.
    until(lambda: can_apply(kubectl, *objects))
    yield
    kubectl("delete", "imagebuilds", "--all", f"--namespace={namespace}")
    kubectl("delete", "clusterqueue", "--all")


def can_apply(kubectl: Kubectl, *objects: Json) -> bool:
    """Apply objects; whether the webhook of Kueue has answered."""
    try:
        apply(kubectl, *objects)
    except AssertionError as error:
        if "failed calling webhook" not in str(error):
            raise
        return False
    return True


def apply(kubectl: Kubectl, *objects: Json) -> None:
    kubectl("apply", "-f", "-", stdin="\n---\n".join(json.dumps(each) for each in objects))


def a_build(name: str, namespace: str, registry: Registry, dockerfile: str = "") -> Json:
    """A build of the page, in the namespace of the test."""
    (build,) = (each for each in manifests(PAGE, "ImageBuild") if each["metadata"]["name"] == name)
    spec: Json = build["spec"]
    if dockerfile:
        spec["source"]["inline"]["files"]["Dockerfile"] = dockerfile
    spec["output"]["images"] = [f"{registry.name or registry.address}/{namespace}/{name}:1"]
    spec["resources"] = {"requests": {"cpu": REQUEST}}
    return spec


def is_gated(build: Json) -> bool:
    return (phase(build), (build.get("status") or {}).get("reason")) == ("Queued", "Gated")


def is_building(build: Json) -> bool:
    return phase(build) == "Building"


def workloads(kubectl: Kubectl, namespace: str) -> list[Json]:
    items: list[Json] = json.loads(kubectl("get", "workloads", f"--namespace={namespace}", "--output=json"))["items"]
    return items


@pytest.mark.usefixtures("queue")
def test_a_build_waits_for_quota_and_leaves_nothing_behind(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl
):
    builds.create(a_build("app", namespace, registry, RUNNING), name="first")
    wait_for_build(api, namespace, "first", is_building, timeout=60)
    for name in ("second", "cancelled", "deleted"):
        builds.create(a_build("app", namespace, registry), name=name)
        gated = wait_for_build(api, namespace, name, is_gated)
        assert "startTime" not in gated["status"]
        assert "in LocalQueue builds. " in gated["status"]["message"]

    def waits() -> list[Json]:
        conditions = [workload.get("status", {}).get("conditions", []) for workload in workloads(kubectl, namespace)]
        found = [c for each in conditions for c in each if (c["type"], c["status"]) == ("QuotaReserved", "False")]
        return found if len(found) == 3 else []

    waiting = until(waits)
    assert all("insufficient unused quota for cpu" in condition["message"] for condition in waiting)
    # Waiting builds can be stopped and deleted.
    builds.patch({"spec": {"cancel": True}}, name="cancelled")
    assert wait_for_finish(api, namespace, "cancelled")["phase"] == "Cancelled"
    kubectl("delete", "imagebuild", "deleted", f"--namespace={namespace}")
    until(lambda: len(workloads(kubectl, namespace)) == 2)
    # The end of the first starts the second.
    builds.patch({"spec": {"cancel": True}}, name="first")
    assert wait_for_finish(api, namespace, "second")["phase"] == "Succeeded"
    assert phase(builds.get("first")) == "Cancelled"
    kubectl("delete", "imagebuilds", "--all", f"--namespace={namespace}")
    wait_for_no_pods(api, namespace)
    until(lambda: workloads(kubectl, namespace) == [])


@pytest.mark.usefixtures("queue")
def test_a_build_of_higher_priority_preempts_one_which_then_waits_again(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry
):
    builds.create(a_build("app", namespace, registry, "FROM busybox\nRUN sleep 8\n"), name="app")
    wait_for_build(api, namespace, "app", is_building, timeout=60)
    builds.create(a_build("release", namespace, registry), name="release")
    gated = wait_for_build(api, namespace, "app", is_gated, timeout=60)
    assert [attempt["reason"] for attempt in gated["status"]["attempts"]] == ["Evicted"]
    assert wait_for_finish(api, namespace, "release")["phase"] == "Succeeded"
    status = wait_for_finish(api, namespace, "app")
    assert status["phase"] == "Succeeded"
    assert len(status["attempts"]) == 2


@pytest.mark.usefixtures("queue")
def test_a_resource_without_quota_is_named_by_the_workload(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl
):
    spec = a_build("app", namespace, registry)
    spec["resources"]["limits"] = {"example.com/gpu": "1"}
    builds.create(spec, name="app")
    wait_for_build(api, namespace, "app", is_gated)
    until(lambda: "example.com/gpu" in json.dumps(workloads(kubectl, namespace)[0].get("status", {})))
    assert wait_for_pod(api, namespace)["spec"]["schedulingGates"]


def test_the_page_installs_the_version_that_is_tested():
    version = yaml.safe_load((chart() / "Chart.yaml").read_text(encoding="utf-8"))["version"]
    assert f" --version {version} " in block_with(PAGE, "console", "helm install kueue")
