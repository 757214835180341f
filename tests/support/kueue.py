"""Kueue itself, from its Go module: the controller as an image in the test registry, installed by its own chart."""

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cluster import oci, toolchain
from cluster.artefacts import TOOLS, artefact
from functional.kube import Kubectl
from support.registry import Registry
from support.waiting import until

NAMESPACE = "kueue-system"
NAME = "kueue"
IMAGE = "imagebuild/kueue"
TAG = "test"
NOBODY = "65532:65532"


def chart() -> Path:
    """The chart of the version that is built."""
    module = TOOLS["kueue"].module
    assert module
    command: list[str | Path] = [toolchain.go(), "mod", "download", "-json", "sigs.k8s.io/kueue"]
    asked = subprocess.run(command, cwd=module, stdout=subprocess.PIPE, check=True)
    return Path(json.loads(asked.stdout)["Dir"]) / "charts" / "kueue"


def push_image(registry: Registry, folder: Path) -> None:
    """Push an image with the controller at the path that the chart starts."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        program = tarfile.TarInfo("manager")
        content = artefact("kueue").read_bytes()
        program.size, program.mode = len(content), 0o755
        tar.addfile(program, io.BytesIO(content))
    archive.seek(0)
    oci.write_layout(folder, archive, {"User": NOBODY})
    registry.push(str(folder), f"{IMAGE}:{TAG}")


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
    push_image(registry, folder / "layout")
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
