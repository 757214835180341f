"""Removes what the kubelet, containerd and its plugins change outside of the state folder.

None of these places can be configured. Others may use them too: only what is surely ours, or a socket
that nobody listens on, or an empty folder is removed.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from cluster import api
from cluster.settings import Cluster

SOCKETS = (Path("/run/containerd/s"), Path("/var/lib/kubelet/device-plugins"))
LOG_LINKS = Path("/var/log/containers")
NETWORK_RESULTS = Path("/var/lib/cni/results")
FOLDERS = [*SOCKETS, NETWORK_RESULTS]
FOLDERS += [*(folder.parent for folder in FOLDERS), LOG_LINKS]
KERNEL = Path("/proc/sys")
KERNEL_SETTINGS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
"""What the kubelet sets on the whole machine."""


def remember(cluster: Cluster) -> None:
    """Note the kernel settings before the kubelet's first start."""
    path = _memory(cluster)
    if not path.exists():
        path.write_text(json.dumps({name: (KERNEL / name).read_text() for name in KERNEL_SETTINGS}))


def remove(cluster: Cluster) -> None:
    """Undo all, once nothing of the cluster runs any more."""
    if _memory(cluster).exists():
        for name, value in json.loads(_memory(cluster).read_text()).items():
            (KERNEL / name).write_text(value)
    for path in _files(cluster):
        path.unlink(missing_ok=True)
    for folder in FOLDERS:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _files(cluster: Cluster) -> Iterator[Path]:
    for link in LOG_LINKS.glob("*"):
        if link.is_symlink() and link.readlink().is_relative_to(cluster.state):
            yield link
    for result in NETWORK_RESULTS.glob(f"{cluster.name}-*-eth0"):
        sandbox = result.name.removeprefix(f"{cluster.name}-").removesuffix("-eth0")
        yield from (result, NETWORK_RESULTS / f"cni-loopback-{sandbox}-lo")
    for folder in SOCKETS:
        yield from (path for path in folder.glob("*") if path.is_socket() and not api.accepts(path)())


def _memory(cluster: Cluster) -> Path:
    return cluster.state / "kernel-settings.json"
