"""Cluster DNS: CoreDNS on the host, reached by pods through the Service kube-dns."""

from collections.abc import Iterator
from typing import Any

from cluster import api, services
from cluster.processes import Part
from cluster.settings import DNS_DOMAIN, DNS_PORT, DNS_READY_PORT, Cluster


def part(cluster: Cluster) -> Part:
    """CoreDNS; a name outside of the cluster does not exist, which it says at once."""
    zones = f"{DNS_DOMAIN} in-addr.arpa ip6.arpa"
    content = f"""\
{" ".join(f"{zone}:{DNS_PORT}" for zone in zones.split())} {{
    bind {cluster.host_address}
    errors
    ready {cluster.host_address}:{DNS_READY_PORT}
    kubernetes {zones} {{
        kubeconfig {cluster.pki / "coredns.conf"}
        ttl 0
    }}
}}
.:{DNS_PORT} {{
    bind {cluster.host_address}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""
    corefile = cluster.state / "Corefile"
    ready = api.answers(f"http://{cluster.host_address}:{DNS_READY_PORT}/ready")
    return Part("coredns", [cluster.bin / "coredns", "-conf", corefile], ready, {corefile: content})


def manifests(cluster: Cluster) -> Iterator[tuple[str, dict[str, Any]]]:
    """The Service, and CoreDNS's right to read what it answers from."""
    ports = [("dns", "UDP", 53, DNS_PORT), ("dns-tcp", "TCP", 53, DNS_PORT)]
    yield from services.on_host(cluster, "kube-system", "kube-dns", ports, cluster.dns_service)
    rbac = "rbac.authorization.k8s.io"
    name = "system:coredns"
    rules = [
        {"apiGroups": [""], "resources": ["services", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    yield (
        f"/apis/{rbac}/v1/clusterroles/{name}",
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
    )
    yield (
        f"/apis/{rbac}/v1/clusterrolebindings/{name}",
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": rbac, "kind": "User", "name": name}],
        },
    )
