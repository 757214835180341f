"""Archives over HTTPS, with a certificate of an authority of our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from support.https import Https
from support.serving import serving


@contextmanager
def serve_https(https: Https, content: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler, https) as port:
        yield f"https://127.0.0.1:{port}"
