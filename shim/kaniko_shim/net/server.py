"""A server for programs of the cluster, in which no client can keep the others waiting."""

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

#: Seconds that a client may keep a connection silent.
SILENCE: Final = 30.0
#: Seconds that a connection lasts.
LIFETIME: Final = 120.0
OK, BAD_REQUEST, UNAUTHORIZED, NOT_FOUND, TOO_LARGE, BUSY = 200, 400, 401, 404, 413, 503


class LimitedServer(ThreadingHTTPServer):
    """Listens, and answers each connection in a thread, for a while only."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        handler: Callable[..., BaseHTTPRequestHandler],
        most: int,
        of_one: int,
    ) -> None:
        """Listen.

        Args:
            address: host, empty for every one, and port.
            handler: answers a connection.
            most: connections at once.
            of_one: connections at once of one address.
        """
        self._most = most
        self._of_one = of_one
        self._lock = threading.Lock()
        self._open = Counter[str]()
        super().__init__(address, handler)

    def secured(self, connection: socket.socket) -> socket.socket:
        """The connection as it is spoken to; may raise OSError."""
        return connection

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the library has it
        """Start a thread for a connection, unless there are many, or many of the same pod."""
        with self._lock:
            is_one_of_many = self._open.total() >= self._most or self._open[client_address[0]] >= self._of_one
            self._open[client_address[0]] += not is_one_of_many
        if is_one_of_many:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the library has it
        """Answer a connection, for a while only."""
        request.settimeout(SILENCE)
        try:
            # Not before: a client that does not speak would keep all others waiting.
            secured = self.secured(request)
        except OSError:
            self.shutdown_request(request)
        else:
            end = threading.Timer(LIFETIME, _cut, (secured,))
            end.daemon = True
            end.start()
            super().process_request_thread(secured, client_address)
            end.cancel()
        finally:
            with self._lock:
                self._open[client_address[0]] -= 1
                self._open += Counter()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore connections that break, and clients that speak another protocol."""


class Answering(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    sys_version = ""
    timeout = SILENCE

    def length(self) -> int | None:
        """Bytes of the request's body, as it says; None if it does not."""
        length = self.headers.get("Content-Length", "")
        return int(length) if length.isascii() and length.isdigit() else None

    def answer(self, status: int, body: bytes) -> None:
        """Answer; after anything but 200, the connection ends."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status != OK:
            # What was sent may not have been read.
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def drain(self, length: int) -> None:
        """Read what is still sent: the kernel would else throw the answer away."""
        self.wfile.flush()
        self.connection.settimeout(1)
        with contextlib.suppress(OSError):
            while length > 0 and (read := self.rfile.read1(min(length, 65536))):
                length -= len(read)

    def log_message(self, *_: object) -> None:
        """Nothing: what happened is said where it is known."""


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
