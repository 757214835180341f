"""kubectl imagebuild doctor of docs/how-to/cli.md against a real API server."""

import json
import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from functional.kube import Builds, Kubectl, spec
from functional.operator_process import OperatorProcess, Settings
from kubernetes import client
from support.installed import install
from support.waiting import until

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def settings(namespace: str) -> Settings:
    """An operator that holds a Lease in the test's namespace."""
    return {"leaderElection": {"leaseName": "operator", "leaseNamespace": namespace}}


@pytest.fixture
def run(kubeconfig: Path, builds: Builds) -> Run:
    def go(*arguments: str, kubeconfig: Path = kubeconfig) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, "doctor", *arguments, "-n", builds.namespace],
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return go


@pytest.fixture
def installed(
    api: client.ApiClient, kubectl: Kubectl, namespace: str, operator: OperatorProcess, tmp_path: Path
) -> OperatorProcess:
    """A running operator that is the leader, with the objects of its installation."""
    install(kubectl, namespace, tmp_path / "operator.settings.yaml")
    leases = client.CoordinationV1Api(api)
    until(lambda: leases.list_namespaced_lease(namespace).items)
    return operator


def levels(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.stdout, done.stderr
    return {each["check"]: each["level"] for each in json.loads(done.stdout)}


def messages(done: subprocess.CompletedProcess[str], check: str) -> str:
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return " ".join(f"{each['message']} {each['hint']}" for each in found if each["check"] == check)


def test_all_is_well_and_a_secret_fits(installed: OperatorProcess, run: Run, kubectl: Kubectl, namespace: str):
    assert installed.is_running()
    login = ("--docker-server=registry.example.com", "--docker-username=user", "--docker-password=password")
    kubectl("create", "secret", "docker-registry", "push", *login, "-n", namespace)
    done = run("--push-secret", "push", "-o", "json")
    checks = ("CRD", "operator", "leader", "rights", "build pod", "Secret push")
    assert (done.returncode, levels(done)) == (0, dict.fromkeys(checks, "ok")), done.stdout + done.stderr
    lines = run("--push-secret", "nosuch").stdout.splitlines()
    assert lines[0].split()[:2] == ["ok", "CRD"]
    assert lines[-1].startswith("failed   Secret nosuch   It does not exist in namespace ")


def test_a_user_of_one_namespace(installed: OperatorProcess, run: Run, token: Path, namespace: str):
    assert installed.is_running()
    done = run("-o", "json", kubeconfig=token)
    assert done.returncode == 0, done.stdout + done.stderr
    found = levels(done)
    assert (found["operator"], found["rights"], found["CRD"]) == ("not visible", "ok", "ok")
    named = run("-o", "json", "--operator-namespace", namespace, kubeconfig=token)
    assert levels(named)["operator"] == "ok", named.stdout


def test_what_keeps_build_pods_from_starting(
    installed: OperatorProcess, run: Run, kubectl: Kubectl, api: client.ApiClient, namespace: str
):
    assert installed.is_running()
    quotas, none = client.CoreV1Api(api), {"pods": "0"}
    quotas.create_namespaced_resource_quota(
        namespace,
        client.V1ResourceQuota(metadata=client.V1ObjectMeta(name="none"), spec=client.V1ResourceQuotaSpec(hard=none)),
    )
    quotas.patch_namespaced_resource_quota_status("none", namespace, {"status": {"hard": none, "used": none}})
    # The API server's admission sees the quota a moment later.
    done = until(lambda: waits(run("-o", "json")))
    assert done
    assert done.returncode == 0, done.stdout
    assert "exceeded quota" in messages(done, "build pod")
    quotas.delete_namespaced_resource_quota("none", namespace)
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    done = run("-o", "json")
    assert (done.returncode, levels(done)["build pod"]) == (1, "failed")
    assert "restricted" in messages(done, "build pod")


def waits(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str] | None:
    return done if "QuotaExceeded" in messages(done, "build pod") else None


def test_no_operator(run: Run, builds: Builds, namespace: str):
    builds.create(spec(), "app")
    done = run("-o", "json")
    assert (done.returncode, levels(done)["operator"]) == (1, "failed")
    assert f"No operator builds namespace {namespace}" in messages(done, "operator")


def test_a_stopped_operator(installed: OperatorProcess, run: Run, api: client.ApiClient, namespace: str):
    installed.stop()
    apps = client.AppsV1Api(api)
    apps.patch_namespaced_deployment_status(
        "imagebuild-operator",
        namespace,
        {"status": {"replicas": 0, "readyReplicas": 0, "availableReplicas": 0}},
    )
    done = run("-o", "json")
    assert done.returncode == 1
    assert "has no available pod" in messages(done, "operator")
    assert "No operator holds Lease" in messages(done, "leader"), done.stdout
