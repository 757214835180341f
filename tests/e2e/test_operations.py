"""The operator in the cluster: killed, and its builds deleted."""

import pytest
from e2e.test_builds import build
from functional.kube import Builds, Kubectl
from install import NAMESPACE as INSTALLED
from kubernetes import client
from support.metrics import read_samples, value
from support.registry import Registry
from support.waiting import until
from support.watching import phase, wait_for_build, wait_for_finish, wait_for_no_pods, wait_for_pod

SLOW = {"Dockerfile": "FROM busybox\nRUN sleep 8\n"}


def test_a_build_ends_well_although_the_operator_is_killed(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl
):
    builds.create(build(SLOW, f"{registry.name}/{namespace}/survivor:1"))
    wait_for_build(api, namespace, "hello", lambda body: phase(body) == "Building", timeout=60)
    kubectl(
        "-n",
        INSTALLED,
        "delete",
        "pod",
        "--selector=app.kubernetes.io/name=imagebuild-operator",
        "--grace-period=0",
        "--force",
    )
    status = wait_for_finish(api, namespace, "hello")
    assert status["phase"] == "Succeeded", status
    assert len(client.CoreV1Api(api).list_namespaced_pod(namespace).items) == 1
    kubectl("-n", INSTALLED, "rollout", "status", "deployment", "--timeout=60s")


@pytest.mark.parametrize(("command", "code"), [("echo well", 0), ("echo ill; exit 3", 1)])
def test_a_script_follows_the_log_and_ends_with_the_right_exit_code(
    builds: Builds, namespace: str, registry: Registry, kubectl: Kubectl, command: str, code: int
):
    """As docs/how-to/follow-a-build.md says."""
    name = "followed." + "by-name" * 6
    files = {"Dockerfile": f"FROM busybox\nRUN sleep 3; {command}\n"}
    builds.create(build(files, f"{registry.name}/{namespace}/followed:1"), name=name)
    wait = ("wait", "-n", namespace, f"imagebuild/{name}")
    kubectl(*wait, "--for=condition=Waiting=false", "--timeout=50s")
    log = kubectl("logs", "-n", namespace, "-f", "-l", f"imagebuild.dev/build={name}", "--tail=-1")
    assert command.split()[1].rstrip(";") in log.splitlines()
    kubectl(*wait, "--for=condition=Finished", "--timeout=50s")
    assert kubectl.run(*wait, "--for=condition=Succeeded", "--timeout=0").returncode == code
    assert kubectl.run(*wait, "--for=condition=Stalled", "--timeout=0").returncode == 1 - code


def test_deleting_a_build_deletes_its_pod(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl
):
    builds.create(build({"Dockerfile": "FROM busybox\nRUN sleep 300\n"}, f"{registry.name}/{namespace}/deleted:1"))
    wait_for_build(api, namespace, "hello", lambda body: phase(body) == "Building", timeout=60)
    wait_for_pod(api, namespace)
    kubectl("-n", namespace, "delete", "imagebuild", "hello")
    wait_for_no_pods(api, namespace, timeout=60)


def test_the_operator_runs_under_the_restricted_profile(kubectl: Kubectl):
    labels = "pod-security.kubernetes.io/enforce=restricted"
    said = kubectl.run("label", "--dry-run=server", "--overwrite", "namespace", INSTALLED, labels)
    assert said.returncode == 0
    assert "violate" not in said.stderr


def test_a_build_is_counted_where_prometheus_looks(
    builds: Builds, api: client.ApiClient, namespace: str, registry: Registry, kubectl: Kubectl
):
    def counted() -> float:
        """By all replicas; the pods are reached as Prometheus reaches them, by way of the API server."""
        selector = "app.kubernetes.io/name=imagebuild-operator"
        pods = client.CoreV1Api(api).list_namespaced_pod(INSTALLED, label_selector=selector).items
        names = [pod.metadata.name for pod in pods if pod.metadata]
        raw = f"/api/v1/namespaces/{INSTALLED}/pods/{{}}:8081/proxy/metrics"
        pages = [read_samples(kubectl("get", "--raw", raw.format(name))) for name in names]
        return sum(value(page, "imagebuild_builds_finished_total", result="succeeded", reason="") for page in pages)

    before = counted()
    builds.create(build({"Dockerfile": "FROM busybox\n"}, f"{registry.name}/{namespace}/counted:1"))
    assert wait_for_finish(api, namespace, "hello")["phase"] == "Succeeded"
    until(lambda: counted() == before + 1)
