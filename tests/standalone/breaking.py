"""A proxy in front of a registry that breaks some answers off, or changes them."""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

from support.serving import Quiet

Change = Callable[[int, bytes], bytes]
"""From the number of the request for a blob (0, 1, …) and the blob to what is sent of it."""


@contextmanager
def break_blobs(registry: str, change: Change) -> Iterator[tuple[str, list[str]]]:
    """The proxy's address, and the blobs that were asked for."""
    asked = list[str]()

    class Handler(Quiet):
        def do_GET(self) -> None:
            try:
                wanted = {"Accept": self.headers.get("Accept", "*/*")}
                asking = urllib.request.Request(f"http://{registry}{self.path}", headers=wanted)
                with urllib.request.urlopen(asking) as answer:
                    status, headers, body = answer.status, answer.headers, answer.read()
            except urllib.error.HTTPError as error:
                status, headers, body = error.code, error.headers, error.read()
            sent = body
            if "/blobs/" in self.path and status == 200:
                sent = change(len(asked), body)
                asked.append(self.path.rpartition("/")[2])
            self.send_response(status)
            for name in ("Content-Type", "Docker-Content-Digest"):
                if headers[name]:
                    self.send_header(name, headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(sent)
            self.close_connection = len(sent) < len(body)

        def do_HEAD(self) -> None:
            self.do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
