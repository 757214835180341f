"""Archives, and a web server that hands them out."""

import io
import tarfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


def tar_gz(files: Mapping[str, str]) -> bytes:
    """A gzipped tar of files: path to content."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            content = text.encode()
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


class FileServer:
    """Serves the bytes in `files` by path, and 404 for the rest."""

    def __init__(self, address: str) -> None:
        self.files: dict[str, bytes] = {}
        served = self.files

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = served.get(self.path)
                self.send_response(200 if content is not None else 404)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has
                pass

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        """The address of its root, without a slash at the end."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
