"""Where things are: addresses, ports and folders of the two kinds of test cluster."""

import os
from dataclasses import dataclass
from pathlib import Path

HOST_ADDRESS = "10.244.0.1"
"""The host as pods see it: the API server, the registries and a test's own servers are here."""
NODE_ADDRESS = "10.244.0.2"
"""The node, which lives in a network namespace of its own."""
FIRST_POD_ADDRESS = "10.244.0.3"
POD_SUBNET = "10.244.0.0/24"
SERVICE_SUBNET = "10.96.0.0/16"
KUBERNETES_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
DNS_DOMAIN = "cluster.local"
DNS_PORT = 10053
DNS_READY_PORT = 10054
HOST_INTERFACE = "imagebuild0"
NODE_NAME = "imagebuild"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

SOURCES = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Cluster:
    """One cluster of this machine; everything it owns is named after, or lies in, its state folder."""

    state: Path
    functional: bool
    """True: etcd and kube-apiserver only, for tests that play the kubelet themselves."""
    address: str
    api_port: int
    etcd_port: int

    @property
    def name(self) -> str:
        """The name of its cgroup and of its network namespace."""
        return self.state.name

    @property
    def server(self) -> str:
        return f"https://{self.address}:{self.api_port}"

    @property
    def kubeconfig(self) -> Path:
        return self.pki / "admin.conf"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def bin(self) -> Path:
        return self.state / "bin"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def network_namespace(self) -> Path:
        return Path("/run/netns") / self.name

    @property
    def lock(self) -> Path:
        """Held by whoever starts or ends the cluster."""
        return self.state.with_name(f".{self.name}.lock")

    @property
    def containerd_socket(self) -> Path:
        return self.state / "containerd" / "containerd.sock"


def cluster(*, functional: bool) -> Cluster:
    """The full or the functional cluster.

    IMAGEBUILD_CLUSTER_STATE names another state folder, and so another cluster; two full ones need a
    network namespace each to live side by side. Functional ones do so where IMAGEBUILD_FUNCTIONAL_PORTS (default 0) is
    a number that is added to their ports.
    """
    base = Path("/var/lib") if os.geteuid() == 0 else cache()
    state = Path(os.environ.get("IMAGEBUILD_CLUSTER_STATE") or base / "imagebuild-cluster").resolve()
    if functional:
        state = state.with_name(f"{state.name.removesuffix('-cluster')}-functional")
        shift = int(os.environ.get("IMAGEBUILD_FUNCTIONAL_PORTS") or 0)
        return Cluster(state, functional, "127.0.0.1", api_port=16443 + shift, etcd_port=22379 + shift)
    return Cluster(state, functional, HOST_ADDRESS, api_port=6443, etcd_port=12379)


def foreign_kubeconfig() -> str | None:
    """KUBECONFIG of the environment, unless it is unset or that of a cluster of ours."""
    value = os.environ.get("KUBECONFIG")
    ours = {str(cluster(functional=functional).kubeconfig) for functional in (True, False)}
    return value if value and value not in ours else None


def cache() -> Path:
    """The folder of artefacts that are expensive to make; safe to delete at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "imagebuild-operator"
