"""Real servers for the sources' tests: HTTP with scripted answers, and Git's own HTTP backend."""

import os
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.https import Https


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    """Close the connection after so many bytes of what is sent of the body."""
    ranges: bool = False
    """Send parts to those who ask for them, as RFC 9110 has it."""
    endless: bool = False
    """Name no length, and send the body over and over."""
    drip: float = 0
    """Seconds after each byte."""

    def part(self, wanted: str, condition: str) -> tuple[int, bytes, dict[str, str]]:
        known = {self.headers.get("ETag"), self.headers.get("Last-Modified")}
        if not self.ranges or not wanted or (condition and condition not in known):
            return self.status, self.body, self.headers
        begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
        headers = {"Content-Range": f"bytes {begin}-{len(self.body) - 1}/{len(self.body)}"}
        return 206, self.body[begin:], self.headers | headers


@dataclass
class Asked:
    path: str
    authorization: str
    range: str = ""
    condition: str = ""


@dataclass
class Server:
    """Answers in order; the last answer is repeated."""

    answers: list[Answer]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler], https: Https | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if https:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(https.certificate, https.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serve(*answers: Answer, https: Https | None = None) -> Iterator[Server]:
    server = Server(list(answers), scheme="https" if https else "http")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted, condition = (self.headers.get(name, "") for name in ("Range", "If-Range"))
            server.asked.append(Asked(self.path, self.headers.get("Authorization", ""), wanted, condition))
            answer = server.answers[min(len(server.asked), len(server.answers)) - 1]
            status, body, headers = answer.part(wanted, condition)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if not answer.endless:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):
                self._send(body[: answer.cut], answer.drip)
                while answer.endless:
                    self._send(body, answer.drip)
            self.close_connection = answer.cut is not None or answer.endless

        def _send(self, body: bytes, drip: float) -> None:
            for begin in range(0, len(body), 1) if drip else ():
                self.wfile.write(body[begin : begin + 1])
                time.sleep(drip)
            self.wfile.write(b"" if drip else body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with _serving(Handler, https) as server.port:
        yield server


@contextmanager
def serve_git(root: Path, allowed: Callable[[str], bool] = lambda _: True) -> Iterator[str]:
    """Git's own HTTP backend over the repositories below a directory."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            if not allowed(self.headers.get("Authorization", "")):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = self._chunks()
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            variables = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
            }
            done = subprocess.run(["git", "http-backend"], input=body, env=variables, capture_output=True, check=False)
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _chunks(self) -> bytes:
            content = b""
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content

        def log_message(self, *_: object) -> None:
            pass

    with _serving(Handler) as port:
        yield f"http://127.0.0.1:{port}"
