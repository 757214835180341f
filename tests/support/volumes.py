"""Volumes of a node that is this machine."""

from pathlib import Path
from typing import Any

from kubernetes import client


def make_volume(api: client.ApiClient, name: str, claim: tuple[str, str], folder: Path, mode: str, size: str) -> None:
    """Make a volume of a folder, which only one claim may bind to.

    Args:
        api: The API server.
        name: The name of the volume.
        claim: The namespace and the name of the claim.
        folder: The folder.
        mode: Its access mode.
        size: Its capacity.
    """
    namespace, claimed = claim
    spec = {
        "accessModes": [mode],
        "storageClassName": "",
        "capacity": {"storage": size},
        "hostPath": {"path": str(folder), "type": "Directory"},
        "claimRef": {"namespace": namespace, "name": claimed},
    }
    core: Any = client.CoreV1Api(api)
    core.create_persistent_volume({"metadata": {"name": name}, "spec": spec})
