"""Archives, and a web server that hands them out."""

import io
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.https import Https
from support.serving import Quiet, serving


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


@dataclass
class FileServer:
    """Serves the bytes in `files` by path, and for any other path `other`, or 404 where that is None.

    Attributes:
        url: the address of its root, without a slash at the end.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    other: bytes | None = None


@contextmanager
def serve_files(address: str = "127.0.0.1", https: Https | None = None) -> Iterator[FileServer]:
    """A running server."""
    server = FileServer()

    class Handler(Quiet):
        def do_GET(self) -> None:
            content = server.files.get(self.path, server.other)
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

    with serving(Handler, https, address) as port:
        server.url = f"{'https' if https else 'http'}://{address}:{port}"
        yield server


@contextmanager
def serve_https(https: Https, content: bytes) -> Iterator[str]:
    """The URL of a server that answers everything with the same bytes."""
    with serve_files(https=https) as server:
        server.other = content
        yield server.url
