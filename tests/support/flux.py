"""Flux's source-controller itself, from its Go module, with the CRDs of that version."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from functional.kube import Kubectl
from support.program_image import module_folder, push_programs
from support.registry import Registry

NAME = "source-controller"
NAMESPACE = "flux-system"
IMAGE = "imagebuild/source-controller"


def crds() -> Path:
    """The folder with the CRDs of the version that is built."""
    return module_folder(NAME, "github.com/fluxcd/source-controller") / "config" / "crd" / "bases"


@contextmanager
def flux_installed(registry: Registry, kubectl: Kubectl, folder: Path) -> Iterator[None]:
    """Install the controller and its CRDs, and remove all of it at the end.

    Args:
        registry: Where its image is put.
        kubectl: That of the cluster.
        folder: An empty one.
    """
    push_programs(registry, folder, f"{IMAGE}:test", {NAME: NAME})
    try:
        kubectl("apply", f"--filename={crds()}")
        objects = {"apiVersion": "v1", "kind": "List", "items": _objects(registry)}
        kubectl("apply", "--filename=-", stdin=json.dumps(objects))
        kubectl("rollout", "status", f"deployment/{NAME}", f"--namespace={NAMESPACE}", "--timeout=55s")
        yield
    finally:
        # The sources first: the controller takes its finalizers from them.
        kubectl.run("delete", "gitrepositories", "--all", "--all-namespaces", "--timeout=30s")
        kubectl.run("delete", "clusterrolebinding", NAME)
        kubectl.run("delete", "namespace", NAMESPACE, "--wait=false")
        kubectl.run("delete", f"--filename={crds()}", "--wait=false")


def _objects(registry: Registry) -> list[dict[str, Any]]:
    """What `flux install` makes of it, as far as it matters here."""
    labels = {"app": NAME}
    container = {
        "name": "manager",
        "image": f"{registry.name or registry.address}/{IMAGE}:test",
        "command": [f"/{NAME}"],
        "args": [
            "--watch-all-namespaces",
            "--storage-path=/data",
            f"--storage-adv-addr={NAME}.$(RUNTIME_NAMESPACE).svc.cluster.local.",
        ],
        "env": [
            {"name": "RUNTIME_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "TUF_ROOT", "value": "/tmp/.sigstore"},
        ],
        "ports": [{"name": "http", "containerPort": 9090}],
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "tmp", "mountPath": "/tmp"}],
    }
    pod = {
        "serviceAccountName": NAME,
        "securityContext": {"fsGroup": 1337},
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
    }
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": NAMESPACE}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
            "spec": {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": NAME, "namespace": NAMESPACE},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
    ]
