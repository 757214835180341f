"""The objects of an operator's installation, as the chart makes them, for an operator that runs elsewhere."""

import json
from pathlib import Path
from typing import Any

from functional.kube import Kubectl
from kubectl_imagebuild import __version__

NAME = "imagebuild-operator"


def install(kubectl: Kubectl, namespace: str, settings: Path, version: str = __version__, available: int = 1) -> None:
    """Create the ConfigMap and the Deployment of an operator.

    Args:
        kubectl: kubectl of the cluster.
        namespace: Their namespace.
        settings: The operator's settings file.
        version: The operator's version.
        available: Number of its pods that are available.
    """
    labels = {
        "app.kubernetes.io/name": NAME,
        "app.kubernetes.io/instance": namespace,
        "app.kubernetes.io/component": "operator",
        "app.kubernetes.io/part-of": "imagebuild",
    }
    metadata = {"name": NAME, "labels": {**labels, "app.kubernetes.io/version": version}}
    data = {"settings.yaml": settings.read_text(encoding="utf-8")}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    container: dict[str, Any] = {
        "name": "operator",
        "image": "registry.example.com/operator:1",
        "env": [{"name": "IMAGEBUILD_SETTINGS_FILE", "value": "/etc/imagebuild/settings.yaml"}],
        "volumeMounts": [{"name": "settings", "mountPath": "/etc/imagebuild"}],
    }
    pod = {"containers": [container], "volumes": [{"name": "settings", "configMap": {"name": NAME}}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    whole = {"apiVersion": "v1", "kind": "List", "items": [config_map, deployment]}
    kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(whole))
    status = {"status": {"replicas": available, "readyReplicas": available, "availableReplicas": available}}
    change = ("--subresource=status", "--type=merge", "-p", json.dumps(status))
    kubectl("patch", "deployment", NAME, "-n", namespace, *change)
