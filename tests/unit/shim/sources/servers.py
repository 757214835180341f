"""A real server for the sources' tests: HTTP with scripted answers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from support.https import Https
from support.serving import Quiet, serving


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
def serve(*answers: Answer, https: Https | None = None) -> Iterator[Server]:
    server = Server(list(answers), scheme="https" if https else "http")

    class Handler(Quiet):
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

        def do_PUT(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

    with serving(Handler, https) as server.port:
        yield server
