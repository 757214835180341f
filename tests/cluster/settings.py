"""Where things are: addresses, ports and folders of the two kinds of test cluster."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from cluster.console import ClusterError

NUMBERS = range(10)
"""Full clusters that can run side by side, each with addresses of its own."""
DNS_DOMAIN = "cluster.local"
DNS_PORT = 10053
DNS_READY_PORT = 10054
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
    number: int = 0
    """What tells full clusters of one machine apart; all of their addresses follow from it."""
    has_audit_log: bool = False
    """Whether the API server writes all changes of pods and ImageBuilds to `audit_log`."""

    @property
    def name(self) -> str:
        """The name of its cgroup and of its network namespace."""
        return self.state.name

    @property
    def host_address(self) -> str:
        """The host as pods see it: the API server, the registries and a test's own servers are here."""
        return f"10.244.{self.number}.1"

    @property
    def node_address(self) -> str:
        """The node, which lives in a network namespace of its own."""
        return f"10.244.{self.number}.2"

    @property
    def first_pod_address(self) -> str:
        return f"10.244.{self.number}.3"

    @property
    def pod_subnet(self) -> str:
        return f"10.244.{self.number}.0/24"

    @property
    def service_subnet(self) -> str:
        return f"10.{96 + self.number}.0.0/16"

    @property
    def kubernetes_service(self) -> str:
        return f"10.{96 + self.number}.0.1"

    @property
    def dns_service(self) -> str:
        return f"10.{96 + self.number}.0.10"

    @property
    def host_interface(self) -> str:
        """The host's end of the link to the node."""
        return f"imagebuild{self.number}"

    @property
    def loopback(self) -> str:
        """Where parts listen that only the host talks to."""
        return f"127.0.0.{1 + self.number}"

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
    def audit_log(self) -> Path:
        return self.logs / "audit.jsonl"

    @property
    def network_namespace(self) -> Path:
        return Path("/run/netns") / self.name

    @property
    def lock(self) -> Path:
        """Held by the process that starts or ends the cluster."""
        return self.state.with_name(f".{self.name}.lock")

    @property
    def containerd_socket(self) -> Path:
        return self.state / "containerd" / "containerd.sock"


def cluster(*, functional: bool) -> Cluster:
    """The full or the functional cluster.

    IMAGEBUILD_CLUSTER_NUMBER (default 0) is the number of the full one. IMAGEBUILD_FUNCTIONAL_PORTS (default 0) is
    added to the ports of the functional one. IMAGEBUILD_CLUSTER_STATE names another state folder, to
    which the number is added. With IMAGEBUILD_CLUSTER_AUDIT, the API server of the full one writes an audit log.

    Raises:
        ClusterError: a variable is not a number that can be used.
    """
    base = Path("/var/lib") if os.geteuid() == 0 else cache()
    number = _number("IMAGEBUILD_CLUSTER_NUMBER", NUMBERS)
    state = Path(os.environ.get("IMAGEBUILD_CLUSTER_STATE") or base / "imagebuild-cluster").resolve()
    if number:
        state = state.with_name(f"{state.name.removesuffix('-cluster')}-{number}-cluster")
    if functional:
        state = state.with_name(f"{state.name.removesuffix('-cluster')}-functional")
        shift = _number("IMAGEBUILD_FUNCTIONAL_PORTS", range(10000))
        return Cluster(state, functional, "127.0.0.1", api_port=16443 + shift, etcd_port=22379 + shift)
    return replace(full(state, number), has_audit_log=bool(os.environ.get("IMAGEBUILD_CLUSTER_AUDIT")))


def full(state: Path, number: int) -> Cluster:
    """The full cluster of this number, with this state folder."""
    plain = Cluster(state, functional=False, address="", api_port=6443, etcd_port=12379, number=number)
    return replace(plain, address=plain.host_address)


def _number(variable: str, allowed: range) -> int:
    text = os.environ.get(variable) or "0"
    if not text.isdecimal() or int(text) not in allowed:
        raise ClusterError(f"{variable} is {text!r}; set it to a number from {allowed[0]} to {allowed[-1]}")
    return int(text)


def foreign_kubeconfig() -> str | None:
    """KUBECONFIG of the environment, unless it is unset or that of a cluster of ours."""
    value = os.environ.get("KUBECONFIG")
    ours = {str(cluster(functional=functional).kubeconfig) for functional in (True, False)}
    return value if value and value not in ours else None


def cache() -> Path:
    """The folder of artefacts that are expensive to make; safe to delete at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "imagebuild-operator"
