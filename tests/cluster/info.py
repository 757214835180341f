"""The variables and the status of a cluster."""

import os

from cluster import kubernetes, lifecycle, processes, registries
from cluster.console import ClusterError, answer
from cluster.settings import Cluster


def variables(cluster: Cluster) -> dict[str, str]:
    """The variables by which tests and people find a cluster.

    Raises:
        ClusterError: it is not running.
    """
    option = " --functional" if cluster.functional else ""
    api_server = next(part for part in kubernetes.control_plane(cluster) if part.name == "kube-apiserver")
    if not cluster.kubeconfig.exists() or not api_server.ready():
        raise ClusterError(f"no cluster is up in {cluster.state}; start it with: python3 -m cluster up{option}")
    common = {
        "KUBECONFIG": str(cluster.kubeconfig),
        "KUBECACHEDIR": str(cluster.state / "kubectl"),
        "BIN": str(cluster.bin),
    }
    if cluster.functional:
        return common
    return common | {
        "REGISTRY": registries.service("plain"),
        "REGISTRY_ADDRESS": registries.address(cluster, "plain"),
        "HUB_MIRROR": registries.service("plain"),
        "PRIVATE_REGISTRY": registries.service("private"),
        "PRIVATE_REGISTRY_ADDRESS": registries.address(cluster, "private"),
        "REGISTRY_USER": registries.USER,
        "REGISTRY_PASSWORD": registries.password(cluster),
        "REGISTRY_AUTH": registries.docker_config(cluster),
        "REGISTRY_CA": str(cluster.pki / "registry-ca.crt"),
        "CONTAINERD_ADDRESS": str(cluster.containerd_socket),
        "HOST_ADDRESS": cluster.host_address,
    }


def foreign() -> dict[str, str]:
    """The variables of a cluster that is not ours, from the environment.

    Raises:
        ClusterError: KUBECONFIG names no file.
    """
    files = os.environ["KUBECONFIG"].split(os.pathsep)
    if not any(map(os.path.isfile, files)):
        raise ClusterError(
            f"KUBECONFIG is {os.environ['KUBECONFIG']!r}, which is no file; unset it to use a test cluster"
        )
    about = ("KUBECONFIG", "REGISTRY", "PRIVATE_REGISTRY", "HUB_MIRROR", "HOST_ADDRESS", "CONTAINERD_ADDRESS")
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith(about)}


def status(cluster: Cluster) -> int:
    """Print one line for each part; the exit code is 0 if all are ready."""
    if not cluster.state.exists():
        raise ClusterError(f"there is no cluster in {cluster.state}")
    code = 0
    leaders = {process.part: process.pid for process in processes.find(cluster.state) if process.leader}
    for part in lifecycle.parts(cluster):
        ready = part.name in leaders and part.ready()
        state = "ready" if ready else "not ready" if part.name in leaders else "not running"
        answer(f"{part.name:24} {leaders.get(part.name, '-'):>8} {state}")
        code |= not ready
    return code
