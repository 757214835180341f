"""A second installation of the chart: `helm test`, by an operator with a user ID such as OpenShift assigns."""

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from environment import ROOT, with_programs
from functional.kube import Kubectl
from install import NAMESPACE, RELEASE
from kubernetes import client
from support.watching import GROUP, PLURAL

#: Of the range that OpenShift would give to a namespace.
USER = 1000680000
#: With it, a build is not for the release that all tests use (tests/values.yaml).
LABEL = "tests.imagebuild.dev/release"
CHART = str(ROOT / "charts" / "imagebuild-operator")
Helm = Callable[..., str]


@pytest.fixture
def helm(cluster: dict[str, str], namespace: str) -> Iterator[Helm]:
    """Helm, in the test's namespace; the release `second` is uninstalled in the end."""

    def run(*arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["helm", *arguments],
            env=with_programs({**cluster, "HELM_NAMESPACE": namespace}),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield run
    run("uninstall", "second", "--ignore-not-found", "--wait")


@pytest.fixture
def second(helm: Helm, namespace: str) -> str:
    """A release with the images of the one that all tests use, for the test's namespace only."""
    values = yaml.safe_load(helm("get", "values", RELEASE, "--namespace", NAMESPACE, "--output", "yaml"))
    values |= {
        "watchNamespaces": [namespace],
        "buildSelector": f"{LABEL}=second",
        "helmTest": {"labels": {LABEL: "second"}},
        "crds": {"enabled": False},
        "podSecurityContext": {"runAsUser": USER, "runAsGroup": 0, "fsGroup": USER},
    }
    helm("install", "second", CHART, "--values=-", "--wait", "--timeout=120s", stdin=yaml.safe_dump(values))
    return "second"


def test_helm_test_runs_a_build(helm: Helm, second: str, api: client.ApiClient, namespace: str, kubectl: Kubectl):
    """By an operator whose user ID the image does not know, as on OpenShift."""
    shown = helm("test", second, "--logs", "--timeout=240s")
    assert "Phase:          Succeeded" in shown
    assert "Succeeded: " in shown
    user = kubectl("exec", "-n", namespace, "deployment/second-imagebuild-operator", "--", "id", "-u")
    assert int(user) == USER
    made: Any = client.CustomObjectsApi(api).list_namespaced_custom_object(GROUP, "v1alpha1", namespace, PLURAL)
    assert made["items"] == []
    left = kubectl("get", "pods,roles,serviceaccounts,configmaps", "-n", namespace, "-o", "name").split()
    assert [name for name in left if name.endswith("-test")] == ["pod/second-imagebuild-operator-test"]
