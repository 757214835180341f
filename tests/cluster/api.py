"""HTTP to the parts: is it ready, and what does the API server say."""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cluster.console import ClusterError, tail
from cluster.settings import Cluster

TIMEOUT_SECONDS = 5
APPLY_SECONDS = 20


def request(
    method: str,
    url: str,
    tls: ssl.SSLContext | None = None,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """One request: status, headers and body of the response.

    Raises:
        OSError, http.client.HTTPException: there was no response.
    """
    target = urlsplit(url)
    host = target.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, target.port, timeout=TIMEOUT_SECONDS, context=tls)
        if target.scheme == "https"
        else http.client.HTTPConnection(host, target.port, timeout=TIMEOUT_SECONDS)
    )
    try:
        path = f"{target.path}?{target.query}" if target.query else target.path
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def answers(url: str, *statuses: int, tls: Callable[[], ssl.SSLContext] | None = None) -> Callable[[], bool]:
    """A probe: does a GET of this URL give one of these statuses (200 if none is named)?"""

    def probe() -> bool:
        try:
            context = tls() if tls else None
            return request("GET", url, context)[0] in (statuses or (http.HTTPStatus.OK,))
        except (OSError, http.client.HTTPException):
            return False

    return probe


def accepts(path: Path) -> Callable[[], bool]:
    """A probe: does something listen on this Unix socket?"""

    def probe() -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(TIMEOUT_SECONDS)
            return client.connect_ex(str(path)) == 0

    return probe


def unverified() -> ssl.SSLContext:
    """For parts that make a certificate for themselves at each start."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def administrator(cluster: Cluster) -> ssl.SSLContext:
    """For the API server, as a member of system:masters."""
    context = ssl.create_default_context(cafile=str(cluster.pki / "ca.crt"))
    context.load_cert_chain(cluster.pki / "admin.crt", cluster.pki / "admin.key")
    return context


def get(cluster: Cluster, path: str) -> dict[str, Any] | None:
    """An object of the API server, or None if it is not there (or the server is not)."""
    try:
        status, _, body = request("GET", cluster.server + path, administrator(cluster))
    except (OSError, http.client.HTTPException):
        return None
    found: dict[str, Any] | None = json.loads(body) if status == http.HTTPStatus.OK else None
    return found


def apply(cluster: Cluster, *manifests: tuple[str, dict[str, Any]]) -> None:
    """Create objects or bring them back to what they should be, by server-side apply.

    A server that has just started may lack what they need, a namespace or a range of addresses, for a
    moment: it is asked again.

    Args:
        cluster: whose API server.
        manifests: path and content of each object.

    Raises:
        ClusterError: the server still refuses one of them.
    """
    for path, manifest in manifests:
        deadline = time.monotonic() + APPLY_SECONDS
        while refusal := _apply(cluster, path, manifest):
            if time.monotonic() > deadline:
                raise ClusterError(f"the API server refuses {path}: {refusal}")
            time.sleep(0.1)


def _apply(cluster: Cluster, path: str, manifest: dict[str, Any]) -> str:
    """Empty, or why not."""
    status, _, body = request(
        "PATCH",
        f"{cluster.server}{path}?fieldManager=imagebuild-cluster&force=true",
        administrator(cluster),
        json.dumps(manifest).encode(),
        {"Content-Type": "application/apply-patch+yaml"},
    )
    return "" if status in (http.HTTPStatus.OK, http.HTTPStatus.CREATED) else body.decode(errors="replace")


def await_condition(what: str, holds: Callable[[], bool], log: Path, seconds: float = 60) -> None:
    """Wait until something holds.

    Raises:
        ClusterError: it does not, in so many seconds; the message has the last lines of the log.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise ClusterError(f"after {seconds:.0f} s, still not so: {what}; {tail(log)}")
        time.sleep(0.05)
