"""A server in front of the API server, which can be told to go wrong."""

import http.client
import socket
import ssl
import threading
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import yaml
from kubernetes import client


class Front:
    """Passes everything on, without TLS on its own side.

    Attributes:
        mute: While set, nothing that a watch sends gets through, and everything else does.
        away: While set, no call is answered.
        expired: While set, no credentials are good enough, as after the rotation of a token.
        rejected: How many calls were answered so.
    """

    def __init__(self, api: client.ApiClient) -> None:
        given = api.configuration
        self._upstream = urlsplit(given.host).netloc
        self._context = ssl.create_default_context(cafile=given.ssl_ca_cert)
        if given.cert_file:
            self._context.load_cert_chain(given.cert_file, given.key_file)
        self._headers = {"Authorization": token} if (token := given.get_api_key_with_prefix("authorization")) else {}
        self.mute, self.away, self.expired = threading.Event(), threading.Event(), threading.Event()
        self.rejected = 0
        self._watches: set[socket.socket] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        for watch in tuple(self._watches):
            watch.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig that leads to it."""
        named = {"name": "front"}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "front",
            "clusters": [{**named, "cluster": {"server": f"http://127.0.0.1:{self._server.server_port}"}}],
            "users": [{**named, "user": {}}],
            "contexts": [{**named, "context": {"cluster": "front", "user": "front"}}],
        }
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self) -> None:
                upstream = http.client.HTTPSConnection(front._upstream, context=front._context)
                # It is the operator that ends a watch.
                with closing(upstream), suppress(ConnectionError):
                    if front.away.is_set():
                        self.close_connection = True
                        return
                    if front.expired.is_set():
                        front.rejected += 1
                        self.send_error(http.HTTPStatus.UNAUTHORIZED)
                        self.close_connection = True
                        return
                    body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                    kept = {name: self.headers[name] for name in ("Accept", "Content-Type") if name in self.headers}
                    upstream.request(self.command, self.path, body or None, {**kept, **front._headers})
                    connection = upstream.sock
                    with upstream.getresponse() as answer:
                        if "watch=true" in self.path and answer.status == http.client.OK:
                            self.stream(answer, connection)
                        else:
                            self.relay(answer)

            def relay(self, answer: http.client.HTTPResponse) -> None:
                content = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def stream(self, answer: http.client.HTTPResponse, connection: socket.socket) -> None:
                self.close_connection = True
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                front._watches.add(connection)
                try:
                    while not front.away.is_set() and not front.expired.is_set() and (line := answer.readline()):
                        if not front.mute.is_set():
                            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                finally:
                    front._watches.discard(connection)

            do_GET = do_POST = do_PATCH = do_DELETE = pass_on  # noqa: N815 - the names that the server looks for

            def log_message(self, *_: object) -> None:
                """The test looks at what comes of it."""

        return Handler
