"""An HTTP server in a thread: the one below all servers of the tests."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.https import Https


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that does not trust the certificate, or has had enough, hangs up: that is a part of the test."""


class Quiet(BaseHTTPRequestHandler):
    """A handler that logs nothing."""

    def log_message(self, *_: object) -> None:
        """Tests look at what comes of requests."""


@contextmanager
def serving(
    handler: Callable[..., BaseHTTPRequestHandler],
    https: Https | None = None,
    address: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[int]:
    """The port that requests are answered at; any free one for 0."""
    server = _Server((address, port), handler)
    if https:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(https.certificate, https.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
