"""The link between the host and its node, which has its own network namespace.

    host                          namespace of the node
    imagebuild0 10.244.0.1  ────  uplink ─┐
                                          cni0 10.244.0.2 (bridge)
                                          ├─ pod 10.244.0.3
                                          └─ pod …

What kube-proxy and the CNI plugins do (iptables rules, forwarding, interfaces of pods) stays in the
namespace: the host's firewall is neither changed nor in the way, and all of it goes with the namespace.
There is no way from the node to the world beyond the host. Another cluster has its number in these names and addresses.
"""

import json
import subprocess
from pathlib import Path

from cluster.console import ClusterError, run, say
from cluster.settings import Cluster

BRIDGE = "cni0"
BRIDGE_MAC = "02:00:0a:f4:00:02"


def ensure(cluster: Cluster) -> None:
    """Create the namespace and the link.

    Raises:
        ClusterError: only a part of them exists, or another cluster has the link.
    """
    owner = _owner(cluster)
    exists = cluster.network_namespace.exists()
    if exists and owner == str(cluster.state):
        return
    if owner and owner != str(cluster.state) and Path(owner).exists():
        raise ClusterError(f"{cluster.host_interface} belongs to the cluster in {owner}; take that one down first")
    if exists:
        raise ClusterError(f"{cluster.host_interface} has gone, but not the node that it led to")
    say("making the node's network")
    remove(cluster)
    name = cluster.name
    run(["ip", "netns", "add", name])
    for command in (
        "link set lo up",
        f"link add {BRIDGE} address {BRIDGE_MAC} type bridge",
        f"address add {cluster.node_address}/24 dev {BRIDGE}",
        f"link set {BRIDGE} up",
    ):
        run(["ip", "-n", name, *command.split()])
    run(["nsenter", f"--net={cluster.network_namespace}", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
    for command in (
        f"link add {cluster.host_interface} type veth peer name uplink netns {name}",
        f"address add {cluster.host_address}/24 dev {cluster.host_interface}",
        f"-n {name} link set uplink master {BRIDGE} up",
        f"link set {cluster.host_interface} up",
        f"route add {cluster.service_subnet} via {cluster.node_address}",
        f"link set {cluster.host_interface} alias {cluster.state}",  # last: it says that all is done
    ):
        run(["ip", *command.split()])


def remove(cluster: Cluster) -> None:
    """Remove the namespace with all that is in it, and the link if it is ours or nobody's."""
    if _owner(cluster) in {"", str(cluster.state)}:
        _quietly("ip", "link", "delete", cluster.host_interface)
    if cluster.network_namespace.exists():
        _quietly("ip", "netns", "delete", cluster.name)


def _owner(cluster: Cluster) -> str | None:
    """The state folder of the cluster that has the wire; empty: it is half made; None: there is none."""
    shown = subprocess.run(
        ["ip", "-json", "link", "show", cluster.host_interface], capture_output=True, text=True, check=False
    )
    if shown.returncode:
        return None
    return str(json.loads(shown.stdout)[0].get("ifalias", ""))


def _quietly(*argv: str) -> None:
    subprocess.run(argv, stderr=subprocess.DEVNULL, check=False)
