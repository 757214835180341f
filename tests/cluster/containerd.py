"""containerd, its configuration, and the names by which it knows the registries."""

import json
from collections.abc import Iterator
from pathlib import Path

from cluster import api, kubernetes, registries
from cluster.console import ClusterError
from cluster.network import BRIDGE
from cluster.processes import Part
from cluster.settings import Cluster

PLUGIN_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))


def part(cluster: Cluster) -> Part:
    """containerd, with its own socket and folders, apart from any other on the machine."""
    base = cluster.containerd_socket.parent
    unprivileged = "false" if kubernetes.may_raise_limits() else "true"
    content = f"""\
version = 3
root = "{base / "root"}"
state = "{base / "state"}"
[grpc]
address = "{cluster.containerd_socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{base / "opt"}"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{registries.address(cluster, "plain")}/imagebuild/pause:latest"
[plugins."io.containerd.cri.v1.images".registry]
config_path = "{base / "hosts"}"
[plugins."io.containerd.cri.v1.runtime"]
netns_mounts_under_state_dir = true
restrict_oom_score_adj = {unprivileged}
disable_apparmor = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{_plugin_folder()}"]
conf_dir = "{base / "cni"}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
runtime_path = "{cluster.bin / "containerd-shim-runc-v2"}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "{cluster.bin / "runc"}"
Root = "{base / "runc"}"
"""
    config = base / "config.toml"
    files = {
        config: content,
        base / "cni" / "10-bridge.conflist": json.dumps(_network(cluster), indent=1),
        **{base / "hosts" / name / "hosts.toml": content for name, content in _hosts(cluster)},
    }
    argv: list[str | Path] = [cluster.bin / "containerd", "--config", config]
    return Part("containerd", argv, api.accepts(cluster.containerd_socket), files, on_node=True)


def _network(cluster: Cluster) -> dict[str, object]:
    addresses = {
        "type": "host-local",
        "dataDir": str(cluster.containerd_socket.parent / "addresses"),
        "ranges": [
            [{"subnet": cluster.pod_subnet, "rangeStart": cluster.first_pod_address, "gateway": cluster.node_address}]
        ],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {
        "cniVersion": "0.4.0",
        "name": cluster.name,
        "plugins": [
            {"type": "bridge", "bridge": BRIDGE, "hairpinMode": True, "ipam": addresses},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def _hosts(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """Where each registry is; Docker Hub's images come from the plain one, and from nowhere else."""
    for name in ("docker.io", *registries.names(cluster, "plain")):
        yield name, _host(f"http://{registries.address(cluster, 'plain')}")
    authority = cluster.pki / "registry-ca.crt"
    for name in registries.names(cluster, "private"):
        yield name, _host(f"https://{registries.address(cluster, 'private')}", f'ca = "{authority}"\n')


def _host(url: str, option: str = "") -> str:
    return f'server = "{url}"\n[host."{url}"]\ncapabilities = ["pull", "resolve"]\n{option}'


def _plugin_folder() -> Path:
    for folder in PLUGIN_FOLDERS:
        if (folder / "bridge").exists():
            return folder
    raise ClusterError(f"no CNI plugins in {' or '.join(str(folder) for folder in PLUGIN_FOLDERS)}")
