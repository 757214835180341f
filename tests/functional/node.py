"""A node of which there is only what the API server asks a kubelet for: the logs of containers."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kubernetes import client
from support.serving import Quiet


class Node:
    """Answers with the log of each POD, POD/CONTAINER or NAMESPACE/POD in `logs`, once `answers` is set.

    What it was asked for is in `asked`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.logs: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []
        self.answers = threading.Event()
        self.answers.set()


@contextmanager
def serve_node(api: client.ApiClient, name: str, directory: Path) -> Iterator[Node]:
    """A node of that name in the cluster, for as long as the test runs."""
    node = Node(name)

    class Handler(Quiet):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            _, _, namespace, pod, container = url.path.split("/")
            node.asked.append(
                {"namespace": namespace, "pod": pod, "container": container, **dict(parse_qsl(url.query))}
            )
            node.answers.wait(30)
            places = (f"{pod}/{container}", f"{namespace}/{pod}", pod)
            log = next((node.logs[place] for place in places if place in node.logs), None)
            self.send_response(404 if log is None else 200)
            self.end_headers()
            self.wfile.write((log or "").encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = _certificate(directory).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    core: Any = client.CoreV1Api(api)
    core.create_node({"metadata": {"name": name}})
    port = {"kubeletEndpoint": {"Port": server.server_address[1]}}
    address = {"type": "InternalIP", "address": "127.0.0.1"}
    core.patch_node_status(name, {"status": {"addresses": [address], "daemonEndpoints": port}})
    try:
        yield node
    finally:
        node.answers.set()
        core.delete_node(name)
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(directory: Path) -> ssl.SSLContext:
    """One that nobody has signed: the API server looks at a kubelet's only where it is told to."""
    key, certificate = directory / "kubelet.key", directory / "kubelet.crt"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(
        [*command, "-subj", "/CN=kubelet", "-days", "2", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
