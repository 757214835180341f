"""kubectl imagebuild doctor of docs/how-to/cli.md on a real cluster: a pod asks the registry."""

import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from environment import with_programs
from functional.kube import Kubectl
from support.registry import Registry

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(cluster: dict[str, str], kubectl: Kubectl, namespace: str) -> Run:
    def go(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, "doctor", "-n", namespace, *arguments],
            env={**with_programs(cluster), "KUBECONFIG": str(kubectl.kubeconfig)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return go


def test_a_pod_may_push_and_nothing_is_left(run: Run, kubectl: Kubectl, registry: Registry, namespace: str):
    image = f"{registry.name}/{namespace}/app:1"
    done = run("--image", image)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"The registry would accept {image} from a pod of this namespace." in done.stdout
    assert "Created ImageBuild " in done.stderr
    # The node of this cluster is one on which the other tests build with BuildKit.
    assert "1 of 1 nodes (imagebuild): nothing in their status speaks against it." in done.stdout
    assert kubectl("get", "imagebuild", "-n", namespace, "-o", "name") == ""
    assert not registry.has(image)


def test_a_registry_that_does_not_answer(run: Run, kubectl: Kubectl, namespace: str):
    done = run("--image", f"registry.invalid/{namespace}/app:1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].split()[:2] == ["failed", "push"]
    assert "registry.invalid" in done.stdout.splitlines()[-1]
    assert kubectl("get", "imagebuild", "-n", namespace, "-o", "name") == ""


def test_a_registry_that_refuses(run: Run, kubectl: Kubectl, private_registry: Registry, namespace: str):
    done = run("--image", f"{private_registry.name}/{namespace}/app:1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].split()[:2] == ["failed", "push"]
    assert kubectl("get", "imagebuild", "-n", namespace, "-o", "name") == ""
