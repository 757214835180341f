"""A registry on the loopback address, to which the daemon pushes what it has built.

Pushed, and not exported as a layout, since the daemon asks before whether the registry has a blob. What the real
registries have is answered with yes: then the daemon does not even download it. The rest is written into layouts, which
another container pushes with credentials that this one does not have.

RUN steps share the network of the daemon. The path of every request begins with a name that they are not told; who
guesses it can add blobs that nothing leads to, since the image is the one with the digest that the daemon reports.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

import errno
import hashlib
import json
import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from kaniko_shim.oci.blobs import blob_path, write_layout
from kaniko_shim.oci.digests import DIGEST, digest_of
from kaniko_shim.oci.layout import LARGEST_DOCUMENT
from kaniko_shim.oci.media_types import REF_NAME
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

if TYPE_CHECKING:
    from socket import socket

IMAGE: Final = "image"
CACHE: Final = "cache"
"""What is taken in: each is a repository with a layout of its own."""

_REQUEST = re.compile(
    r"/v2/(?P<name>[0-9a-f]+)/(?P<kind>image|cache)/(?:blobs/(?:(?P<blob>sha256:[0-9a-f]{64})|uploads/(?P<upload>\d*))"
    r"|manifests/(?P<manifest>[\w.:-]+))(?:\?(?:.*&)?digest=(?P<digest>sha256(?::|%3A)[0-9a-f]{64})(?:&.*)?|\?.*)?",
    re.IGNORECASE,
)
_READ = 1024 * 1024
# The daemon has four pushes at a time for each of image and cache.
_MOST_CONNECTIONS = 32
_SECONDS = 60


class Present(Protocol):
    """What the real registries have of a kind."""

    def has(self, digest: str, /) -> bool:
        """Whether it has a blob."""
        ...

    def read(self, digest: str, /) -> bytes:
        """A blob that it has.

        Raises:
            JobError: a registry's reason.
        """
        ...


class Intake:
    """What was pushed so far.

    Attributes:
        address: `host:port/name`, below which the repositories are.
        disk_full: whether something was not taken in for want of space.
    """

    def __init__(self, layouts: Mapping[str, Path], present: Mapping[str, Present]) -> None:
        """Begin to listen.

        Args:
            layouts: the layout of each kind; on one file system.
            present: what is where a kind goes to; one that is missing here is taken in as a whole.
        """
        self._layouts = layouts
        self._present = present
        self._manifests = dict[tuple[str, str], str]()
        self.disk_full = False
        self._uploads = count(1)
        self._name = secrets.token_hex(16)
        for layout in layouts.values():
            blob_path(layout, "").mkdir(parents=True, exist_ok=True)
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"intake": self}))
        self.address = f"127.0.0.1:{self._server.server_port}/{self._name}"

    def finish(self, kind: str, digest: str, tag: str = "") -> bool:
        """Make the layout of a kind one of the image with a digest; False if that image was not pushed.

        Args:
            kind: the kind.
            digest: the digest that the daemon reports.
            tag: the tag that the layout names.

        Raises:
            JobError: a registry's reason, or Internal.
        """
        path = blob_path(self._layouts[kind], digest)
        media_type = self._manifests.get((kind, digest))
        if media_type is None:
            return False
        self._complete(kind, json.loads(path.read_bytes())["config"]["digest"])
        descriptor: dict[str, object] = {"mediaType": media_type, "digest": digest, "size": path.stat().st_size}
        if tag:
            descriptor["annotations"] = {REF_NAME: tag}
        index = json.dumps({"schemaVersion": 2, "manifests": [descriptor]}).encode()
        write_layout(self._layouts[kind], index, ())
        return True

    def _complete(self, kind: str, config: str) -> None:
        """Fetch the config, if it was left out, too: crane reads it, wherever it is to be pushed."""
        path = blob_path(self._layouts[kind], config)
        if path.exists():
            return
        content = self._present[kind].read(config)
        if digest_of(content) != config:
            raise JobError(Reason.INTERNAL, f"The registry sent something else as {config}.", hint="Build again.")
        path.write_bytes(content)

    def serve(self) -> None:
        """Answer until `close`."""
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def knows(self, name: str) -> bool:
        """Whether a request was told the name."""
        return secrets.compare_digest(name, self._name)

    def find(self, kind: str, digest: str) -> bool:
        """Whether a blob need not be sent."""
        path = blob_path(self._layouts[kind], digest)
        for layout in self._layouts.values():
            with suppress(FileNotFoundError, FileExistsError):
                os.link(blob_path(layout, digest), path)
        if path.exists():
            return True
        present = self._present.get(kind)
        return present is not None and present.has(digest)

    def begin(self) -> int:
        """The number of a new upload."""
        return next(self._uploads)

    def take(self, kind: str, number: int, chunks: Iterator[bytes], digest: str) -> HTTPStatus:
        """Keep a blob."""
        path = blob_path(self._layouts[kind], digest)
        part = self._layouts[kind] / f".upload-{number}"
        checksum = hashlib.sha256()
        try:
            with part.open("xb", buffering=0) as stream:
                for chunk in chunks:
                    checksum.update(chunk)
                    stream.write(chunk)
            if f"sha256:{checksum.hexdigest()}" != digest:
                return HTTPStatus.BAD_REQUEST
            part.replace(path)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            self.disk_full = True
            return HTTPStatus.INSUFFICIENT_STORAGE
        finally:
            part.unlink(missing_ok=True)
        return HTTPStatus.CREATED

    def take_manifest(self, kind: str, content: bytes, media_type: str) -> str:
        """Keep a manifest; its digest."""
        digest = digest_of(content)
        blob_path(self._layouts[kind], digest).write_bytes(content)
        self._manifests[kind, digest] = media_type
        return digest


@contextmanager
def listening(layouts: Mapping[str, Path], present: Mapping[str, Present]) -> Iterator[Intake]:
    """An intake that answers within the context. The arguments are the same."""
    intake = Intake(layouts, present)
    thread = threading.Thread(target=intake.serve, daemon=True)
    thread.start()
    try:
        yield intake
    finally:
        intake.close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._free = threading.BoundedSemaphore(_MOST_CONNECTIONS)

    def process_request(self, request: "socket | tuple[bytes, socket]", client_address: object) -> None:
        # Those that wait are in the backlog.
        self._free.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: "socket | tuple[bytes, socket]", client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, *_: object) -> None:
        """The daemon reports a connection that broke, and nobody else matters."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS
    intake: Intake

    def handle_one_request(self) -> None:
        with suppress(TimeoutError, ConnectionError):
            super().handle_one_request()
            return
        self.close_connection = True

    def do_HEAD(self) -> None:
        asked = self._asked()
        found = asked and asked["blob"] and self.intake.find(asked["kind"], asked["blob"])
        self._answer(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        asked = self._asked()
        if not asked or asked["upload"] is None:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        place = f"/v2/{asked['name']}/{asked['kind']}/blobs/uploads/{self.intake.begin()}"
        self._answer(HTTPStatus.ACCEPTED, Location=place)

    def do_PUT(self) -> None:
        asked = self._asked()
        length = self.headers.get("Content-Length", "")
        digest = (asked["digest"] or "").lower().replace("%3a", ":") if asked else ""
        if not asked or not length.isdecimal():
            self._answer(HTTPStatus.NOT_FOUND)
        elif asked["upload"] and DIGEST.fullmatch(digest):
            status = self.intake.take(asked["kind"], int(asked["upload"]), self._chunks(int(length)), digest)
            self._answer(status, **{"Docker-Content-Digest": digest})
        elif asked["manifest"] and int(length) <= LARGEST_DOCUMENT:
            content = b"".join(self._chunks(int(length)))
            found = self.intake.take_manifest(asked["kind"], content, self.headers.get("Content-Type", ""))
            self._answer(HTTPStatus.CREATED, **{"Docker-Content-Digest": found})
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def log_message(self, *_: object) -> None:
        """Nothing that users want to read."""

    def _asked(self) -> re.Match[str] | None:
        found = _REQUEST.fullmatch(self.path)
        return found if found and self.intake.knows(found["name"]) else None

    def _chunks(self, length: int) -> Iterator[bytes]:
        while length:
            chunk = self.rfile.read(min(length, _READ))
            if not chunk:
                raise ConnectionError("the request ended early")
            length -= len(chunk)
            yield chunk

    def _answer(self, status: HTTPStatus, **headers: str) -> None:
        # A body may be left that nobody reads.
        self.close_connection |= self.command == "PUT" and status >= HTTPStatus.BAD_REQUEST
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
