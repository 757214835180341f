"""Kueue itself, from its Go module: the controller as an image in the test registry, installed by its own chart."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from functional.kube import Kubectl
from support.program_image import module_folder, push_programs
from support.registry import Registry
from support.waiting import until

NAMESPACE = "kueue-system"
NAME = "kueue"
IMAGE = "imagebuild/kueue"
TAG = "test"


def chart() -> Path:
    """The chart of the version that is built."""
    return module_folder(NAME, "sigs.k8s.io/kueue") / "charts" / "kueue"


@contextmanager
def kueue_installed(
    registry: Registry, kubectl: Kubectl, environment: Mapping[str, str], values: str, folder: Path
) -> Iterator[None]:
    """Install Kueue in the cluster, and remove all of it at the end.

    Args:
        registry: Where its image is put.
        kubectl: That of the cluster.
        environment: KUBECONFIG and PATH of Helm.
        values: Of the chart, as YAML.
        folder: An empty one.
    """
    (folder / "layout").mkdir()
    # Where the chart starts it.
    push_programs(registry, folder / "layout", f"{IMAGE}:{TAG}", {"manager": NAME})
    file = folder / "values.yaml"
    file.write_text(values, encoding="utf-8")
    manager = "controllerManager.manager"
    settings = {
        f"{manager}.image.repository": f"{registry.name or registry.address}/{IMAGE}",
        f"{manager}.image.tag": TAG,
        f"{manager}.resources.requests.cpu": "50m",
        f"{manager}.resources.requests.memory": "64Mi",
        "controllerManager.readinessProbe.initialDelaySeconds": "1",
    }
    command: list[str | Path] = ["helm", "install", NAME, chart(), "--namespace", NAMESPACE, "--create-namespace"]
    command += ["--values", file, *(f"--set={name}={value}" for name, value in settings.items())]
    # What a killed run has left: its CRDs, and webhooks that refuse every pod of the namespaces that it manages.
    _remove(kubectl, environment)
    _run(command, environment)
    try:
        secret = ["get", "secret", f"{NAME}-webhook-server-cert", f"--namespace={NAMESPACE}", "--output=json"]
        until(lambda: json.loads(kubectl(*secret)).get("data"), timeout=120)
        # The kubelet shows a changed Secret to a running pod after a minute only.
        kubectl("rollout", "restart", "deployment", f"--namespace={NAMESPACE}")
        kubectl("rollout", "status", "deployment", f"--namespace={NAMESPACE}", "--timeout=55s")
        # For a moment, the Service still leads to the pod that is gone.
        until(lambda: _answers(kubectl), timeout=120)
        yield
    finally:
        _remove(kubectl, environment)


def _answers(kubectl: Kubectl) -> bool:
    """Whether the webhooks accept an object."""
    flavor = {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ResourceFlavor", "metadata": {"name": "any"}}
    return kubectl.run("create", "--dry-run=server", "--filename=-", stdin=json.dumps(flavor)).returncode == 0


def _remove(kubectl: Kubectl, environment: Mapping[str, str]) -> None:
    kinds = "clusterqueues,resourceflavors,workloadpriorityclasses"
    kubectl.run("delete", kinds, "--all", "--wait=false")
    command = ["helm", "uninstall", NAME, "--namespace", NAMESPACE, "--ignore-not-found", "--wait"]
    _run([*command, "--timeout=60s"], environment)
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false")


def _run(command: list[str | Path], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
