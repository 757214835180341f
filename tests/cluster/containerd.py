"""containerd, its configuration, and the names by which it knows the registries."""

import os
from pathlib import Path

from cluster import api, kubernetes, registries
from cluster.console import Failure
from cluster.files import write, write_json
from cluster.network import BRIDGE
from cluster.processes import Part
from cluster.settings import FIRST_POD_ADDRESS, HOST_ADDRESS, NODE_ADDRESS, POD_SUBNET, Cluster

PLUGIN_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
PAUSE_IMAGE = f"{HOST_ADDRESS}:{registries.PLAIN_PORT}/imagebuild/pause:latest"


def part(cluster: Cluster) -> Part:
    """containerd, with its own socket and folders, beside any other that the machine runs."""
    base = cluster.containerd_socket.parent
    _write_network(base / "cni", cluster.name)
    _write_hosts(base / "hosts", cluster.pki / "registry-ca.crt")
    config = base / "config.toml"
    unprivileged = "false" if kubernetes.may_raise_limits() else "true"
    content = f"""\
version = 2
root = "{base / "root"}"
state = "{base / "state"}"
[grpc]
address = "{cluster.containerd_socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{base / "opt"}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
netns_mounts_under_state_dir = true
restrict_oom_score_adj = {unprivileged}
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{_plugin_folder()}"
conf_dir = "{base / "cni"}"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{base / "hosts"}"
"""
    write(config, content)
    argv = ["containerd", "--config", config]
    return Part("containerd", argv, api.accepts(cluster.containerd_socket), [config], on_node=True)


def _write_network(folder: Path, name: str) -> None:
    addresses = {
        "type": "host-local",
        "dataDir": str(folder.parent / "addresses"),
        "ranges": [[{"subnet": POD_SUBNET, "rangeStart": FIRST_POD_ADDRESS, "gateway": NODE_ADDRESS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    config = {
        "cniVersion": "0.4.0",
        "name": name,
        "plugins": [
            {"type": "bridge", "bridge": BRIDGE, "hairpinMode": True, "ipam": addresses},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    write_json(folder / "10-bridge.conflist", config)


def _write_hosts(folder: Path, authority: Path) -> None:
    """Docker Hub's images come from the plain registry too, and from nowhere else."""
    for name in ("docker.io", *registries.names("plain")):
        _write_host(folder / name, f"http://{registries.address('plain')}")
    for name in registries.names("private"):
        _write_host(folder / name, f"https://{registries.address('private')}", f'ca = "{authority}"\n')


def _write_host(folder: Path, url: str, option: str = "") -> None:
    content = f'server = "{url}"\n[host."{url}"]\ncapabilities = ["pull", "resolve"]\n{option}'
    write(folder / "hosts.toml", content)


def _plugin_folder() -> Path:
    for folder in PLUGIN_FOLDERS:
        if (folder / "bridge").exists():
            return folder
    raise Failure(f"no CNI plugins in {' or '.join(str(folder) for folder in PLUGIN_FOLDERS)}")


def remove_leftovers(cluster: Cluster) -> None:
    """Remove what containerd, its plugins and the kubelet keep outside of the state folder."""
    state = cluster.containerd_socket.parent / "state"
    for file in state.glob("io.containerd.runtime.v2.task/*/*/address"):
        Path(file.read_text().removeprefix("unix://")).unlink(missing_ok=True)
    for file in Path("/var/lib/cni/results").glob(f"{cluster.name}-*"):
        file.unlink(missing_ok=True)
    for link in Path("/var/log/containers").glob("*"):
        if link.is_symlink() and os.readlink(link).startswith(f"{cluster.state}/"):
            link.unlink(missing_ok=True)
