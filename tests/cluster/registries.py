"""Two real registries on the host: one open, one with TLS (private CA) and a password."""

import base64
import http
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cluster import api, services
from cluster.console import run
from cluster.processes import Part
from cluster.settings import DNS_DOMAIN, Cluster

NAMESPACE = "registries"
PLAIN_PORT = 5000
PRIVATE_PORT = 5443
PORTS = {"plain": PLAIN_PORT, "private": PRIVATE_PORT}
USER = "builder"


def address(cluster: Cluster, registry: str) -> str:
    """Where the host finds a registry (and pods, too)."""
    return f"{cluster.host_address}:{PORTS[registry]}"


def service(registry: str) -> str:
    """The name of a registry inside the cluster."""
    return f"{registry}.{NAMESPACE}.svc:{PORTS[registry]}"


def names(cluster: Cluster, registry: str) -> list[str]:
    """All names of a registry, with its port."""
    full = f"{registry}.{NAMESPACE}.svc.{DNS_DOMAIN}:{PORTS[registry]}"
    return [address(cluster, registry), service(registry), full]


def parts(cluster: Cluster) -> Iterator[Part]:
    """Both registries."""
    yield _part(cluster, "plain", api.answers(f"http://{address(cluster, 'plain')}/v2/"), {})
    tls = {"certificate": str(cluster.pki / "registry.crt"), "key": str(cluster.pki / "registry.key")}
    realm = {"htpasswd": {"realm": "private", "path": str(_password_file(cluster))}}
    ready = api.answers(f"https://{address(cluster, 'private')}/v2/", http.HTTPStatus.UNAUTHORIZED, tls=api.unverified)
    yield _part(cluster, "private", ready, {"tls": tls}, {"auth": realm})


def _part(
    cluster: Cluster,
    registry: str,
    ready: Callable[[], bool],
    server: Mapping[str, Any],
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Part:
    folder = cluster.state / "registries"
    config = {
        "version": "0.1",
        "log": {"level": "info"},
        "storage": {"filesystem": {"rootdirectory": str(folder / registry)}, "delete": {"enabled": True}},
        "http": {"addr": address(cluster, registry), "secret": registry, **server},
        **options,
    }
    file = folder / f"{registry}.json"
    argv: list[str | Path] = ["docker-registry", "serve", file]
    return Part(f"registry-{registry}", argv, ready, {file: json.dumps(config, indent=1)})


def ensure_password(cluster: Cluster) -> None:
    """Choose the private registry's password, once for the life of the cluster."""
    if not _password_file(cluster).exists():
        password = secrets.token_urlsafe(16)
        _password_file(cluster).parent.mkdir(exist_ok=True)
        hashed = run(["htpasswd", "-nbB", USER, password])
        (cluster.state / "registries" / "password").write_text(password)
        _password_file(cluster).write_text(hashed)


def _password_file(cluster: Cluster) -> Path:
    return cluster.state / "registries" / "htpasswd"


def password(cluster: Cluster) -> str:
    """The password of USER in the private registry."""
    return (cluster.state / "registries" / "password").read_text()


def docker_config(cluster: Cluster) -> str:
    """A Docker configuration that opens the private registry by its name inside the cluster."""
    pair = base64.b64encode(f"{USER}:{password(cluster)}".encode()).decode()
    return json.dumps({"auths": {service("private"): {"auth": pair}}}, separators=(",", ":"))


def manifests(cluster: Cluster) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and content of the objects that give the registries names inside the cluster."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    yield f"/api/v1/namespaces/{NAMESPACE}", namespace
    for name, port in PORTS.items():
        yield from services.on_host(cluster, NAMESPACE, name, [("registry", "TCP", port, port)])
