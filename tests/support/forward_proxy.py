"""An HTTP proxy that asks for a password and knows hosts that nobody else can resolve."""

import select
import socket
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit

from support.serving import Quiet, serving

HOP_BY_HOP = frozenset({"proxy-authorization", "proxy-connection", "connection", "keep-alive", "transfer-encoding"})


@dataclass
class ForwardProxy:
    """A running proxy.

    Attributes:
        url: names it, user and password included.
        asked: method and host of each request that it passed on.
    """

    url: str = ""
    asked: set[tuple[str, str]] = field(default_factory=set)


class _Handler(Quiet):
    proxy: ForwardProxy
    hosts: Mapping[str, tuple[str, int]]
    expected: str
    protocol_version = "HTTP/1.1"

    def _may(self, host: str) -> bool:
        self.close_connection = True
        if self.headers.get("Proxy-Authorization") != self.expected:
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
        elif host not in self.hosts:
            self.send_response(502)
        else:
            self.proxy.asked.add((self.command, host))
            return True
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        return False

    def do_CONNECT(self) -> None:
        if not self._may(self.path):
            return
        with socket.create_connection(self.hosts[self.path]) as server:
            self.send_response(200)
            self.end_headers()
            self._tunnel(server)

    def _tunnel(self, server: socket.socket) -> None:
        other = {self.connection: server, server: self.connection}
        with suppress(ConnectionError):
            while True:
                for readable in select.select(list(other), [], [])[0]:
                    data = readable.recv(65536)
                    if not data:
                        return
                    other[readable].sendall(data)

    def _pass_on(self) -> None:
        parts = urlsplit(self.path)
        host = parts.netloc if parts.port else f"{parts.netloc}:80"
        body = self._body()
        if not self._may(host):
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        if body is not None:
            headers["Content-Length"] = str(len(body))
        connection = HTTPConnection(*self.hosts[host])
        connection.request(self.command, parts._replace(scheme="", netloc="").geturl() or "/", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        length = answer.headers.get("Content-Length", str(len(content))) if self.command == "HEAD" else len(content)
        self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    def _body(self) -> bytes | None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            content = b""
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content
        length = self.headers.get("Content-Length")
        return None if length is None else self.rfile.read(int(length))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - names of the base class


@contextmanager
def serve_proxy(
    hosts: Mapping[str, tuple[str, int]], user: str, password: str, address: str = "127.0.0.1"
) -> Iterator[ForwardProxy]:
    """A proxy for some hosts alone.

    Args:
        hosts: `host:port` as clients write it, to where it is.
        user: who may use the proxy.
        password: the user's.
        address: where it listens.
    """
    proxy = ForwardProxy()
    expected = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
    handler = type("Handler", (_Handler,), {"proxy": proxy, "hosts": hosts, "expected": expected})
    with serving(handler, address=address) as port:
        proxy.url = f"http://{quote(user)}:{quote(password)}@{address}:{port}"
        yield proxy
