"""Services of the cluster that are served by the host."""

from collections.abc import Iterator
from typing import Any

from cluster.settings import Cluster


def on_host(
    cluster: Cluster,
    namespace: str,
    name: str,
    ports: list[tuple[str, str, int, int]],
    cluster_ip: str | None = None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """A Service of the cluster whose only endpoint is a server on the host.

    Args:
        cluster: whose host it is.
        namespace: where it is.
        name: of the Service and of its EndpointSlice.
        ports: name, protocol, port of the Service, port on the host.
        cluster_ip: its address, or None for any.
    """
    spec: dict[str, Any] = {
        "ports": [
            {"name": port, "protocol": protocol, "port": outer, "targetPort": inner}
            for port, protocol, outer, inner in ports
        ]
    }
    if cluster_ip:
        spec["clusterIP"] = cluster_ip
    metadata = {"name": name, "namespace": namespace}
    yield (
        f"/api/v1/namespaces/{namespace}/services/{name}",
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec},
    )
    yield (
        f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices/{name}",
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "ports": [{"name": port, "protocol": protocol, "port": inner} for port, protocol, _, inner in ports],
            "endpoints": [{"addresses": [cluster.host_address], "conditions": {"ready": True}}],
        },
    )
