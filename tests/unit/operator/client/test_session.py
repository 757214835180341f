import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from imagebuild_operator.client.events import EventClient
from imagebuild_operator.client.pods import LOG_BYTES, PodClient
from imagebuild_operator.client.session import Session
from imagebuild_operator.client.transport import Transport
from imagebuild_operator.telemetry.prometheus import Metrics
from kubernetes.aio.client import Configuration


class Endless(BaseHTTPRequestHandler):
    """Answers with text that has no end, but for the one Event of `uid=small`."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if "small" in self.path:
            content = json.dumps({"items": [{"message": "x"}]}).encode()
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass  # It has read enough.

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    """The URL of a server that does not stop to answer."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    server.daemon_threads = False
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_no_more_is_read_of_a_log_or_of_events_than_is_wanted(server: str):
    async def read() -> tuple[str, list[object], list[object]]:
        session = Session(Transport(Configuration(host=server)), Metrics())
        try:
            log = await PodClient(session).read_log("team", "app", "build")
            events = await EventClient(session).list_about_pod("team", "uid")
            small = await EventClient(session).list_about_pod("team", "small")
        finally:
            await session.close()
        return log, list(events), list(small)

    log, events, small = asyncio.run(read())
    assert LOG_BYTES <= len(log) <= 2 * LOG_BYTES
    assert events == []
    assert small == [{"message": "x"}]
