"""The signer's server under connections that keep it busy."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path

import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import ec
from kaniko_shim.attest.keys import SigningKey
from kaniko_shim.signer.cluster import Cluster
from kaniko_shim.signer.service import AT_ONCE, OF_ONE, Signer, SignerServer

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """That of a signer whose API server is away."""
    (tmp_path / "token").write_text("token")
    nowhere = urllib3.HTTPSConnectionPool("127.0.0.1", 1, retries=False)
    key = SigningKey(ec.generate_private_key(ec.SECP256R1()))
    with contextlib.chdir(tmp_path):
        server = SignerServer(Signer(key, Cluster(nowhere, tmp_path), print), ("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()
    nowhere.close()


def status(port: int, method: str = "GET", path: str = "/healthz", source: str = "127.0.0.1", **headers: str) -> int:
    """The status of an answer to a request whose body is not sent."""
    connection = HTTPSConnection("127.0.0.1", port, timeout=10, context=CONTEXT, source_address=(source, 0))
    with contextlib.closing(connection):
        connection.putrequest(method, path)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        return connection.getresponse().status


@pytest.mark.shows("A63")
def test_a_pod_that_holds_connections_keeps_nobody_else_waiting(port: int):
    with contextlib.ExitStack() as held:
        for _ in range(OF_ONE):
            held.enter_context(socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0)))
        with pytest.raises((OSError, ssl.SSLError)):
            status(port, source="127.0.0.2")
        assert status(port) == 200


@pytest.mark.shows("A63")
def test_whose_a_message_is_is_asked_before_it_is_read(port: int):
    for _ in range(AT_ONCE + 1):
        assert status(port, "POST", "/sign", Authorization="Bearer x", Content_Length="1000") == 503


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Content_Length": "10"}, 400),
        ({"Authorization": "Bearer x"}, 400),
        ({"Authorization": "Bearer x", "Content_Length": "-1"}, 400),
        ({"Authorization": "Bearer x", "Content_Length": "999999999999"}, 413),
    ],
)
def test_what_is_no_request_is_refused(port: int, headers: dict[str, str], expected: int):
    assert status(port, "POST", "/sign", **headers) == expected
    assert status(port, "POST", "/other", **headers) == 404
    assert status(port, "GET", "/other") == 404
