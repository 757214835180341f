"""A registry that answers as badly as registries in the world do, one way per repository."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from support.serving import Quiet, serving

_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
#: An image for a processor that no test runs on.
FOREIGN_INDEX = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": _INDEX_TYPE,
        "manifests": [
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": "sha256:" + "0" * 64,
                "size": 500,
                "platform": {"os": "linux", "architecture": "s390x"},
            }
        ],
    }
).encode()


@dataclass(frozen=True)
class Answer:
    """One answer; `error` is put into the form in which registries report errors."""

    status: int
    error: tuple[str, str] = ("", "")
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        code, message = self.error
        return json.dumps({"errors": [{"code": code, "message": message}]}).encode() if code else self.content


_INDEX_HEADERS = {
    "Content-Type": _INDEX_TYPE,
    "Docker-Content-Digest": f"sha256:{hashlib.sha256(FOREIGN_INDEX).hexdigest()}",
}

#: What GET of a manifest answers, by repository.
PULLS = {
    "limited": Answer(429, ("TOOMANYREQUESTS", "You have reached your pull rate limit.")),
    "limited-plainly": Answer(429, content=b"slow down"),
    "broken": Answer(503, content=b"<html>upstream is down</html>"),
    "garbage": Answer(
        200, content=b"<html>Welcome to the hotel's network</html>", headers={"Content-Type": "text/html"}
    ),
    "foreign": Answer(200, content=FOREIGN_INDEX, headers=_INDEX_HEADERS),
    "hidden": Answer(401, ("UNAUTHORIZED", "authentication required")),
    "forbidden": Answer(403, ("DENIED", "requested access to the resource is denied")),
}
#: What the beginning of an upload (POST) answers.
UPLOADS = {
    "denied": Answer(403, ("DENIED", "permission_denied: write_package")),
    "bare-denied": Answer(403),
    "unnamed": Answer(404, ("NAME_UNKNOWN", "no repository has this name")),
    "busy": Answer(429, ("TOOMANYREQUESTS", "Rate exceeded")),
    "down": Answer(502, content=b"bad gateway"),
}
#: What PUT of a manifest answers: the upload was allowed, the image is not.
MANIFESTS = {
    "immutable": Answer(
        400,
        (
            "TAG_INVALID",
            "The image tag '1' cannot be overwritten because the repository is immutable.",
        ),
    ),
    "full": Answer(
        403,
        (
            "DENIED",
            "adding 5 MiB of storage resource will exceed the configured upper limit of 1 GiB",
        ),
    ),
    "unseen": Answer(404, ("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")),
    "strict": Answer(400, ("MANIFEST_INVALID", "manifest invalid")),
    "late": Answer(500, ("UNKNOWN", "unknown error")),
}


class _Handler(Quiet):
    def do_GET(self) -> None:
        if self.path.rstrip("/") == "/v2":
            self._send(Answer(200, content=b"{}"))
        elif self._blob:
            # Nothing need be uploaded, but where the upload is what fails.
            self._send(Answer(404 if self._repository in UPLOADS else 200))
        else:
            self._send(PULLS.get(self._repository, Answer(404, ("MANIFEST_UNKNOWN", "manifest unknown"))))

    do_HEAD = do_GET  # noqa: N815 - the name that the server looks for

    def do_POST(self) -> None:
        accepted = Answer(202, headers={"Location": self.path + "1"})
        self._send(UPLOADS.get(self._repository, accepted))

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(MANIFESTS.get(self._repository, Answer(201)))

    def do_DELETE(self) -> None:
        self._send(Answer(204))

    @property
    def _repository(self) -> str:
        return self.path.removeprefix("/v2/").split("/")[1]

    @property
    def _blob(self) -> bool:
        return "/blobs/sha256:" in self.path

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)


class _TokenHandler(_Handler):
    """Wants a token, which its own token server gives for a password."""

    login = ""

    def parse_request(self) -> bool:
        return super().parse_request() and self._is_allowed()

    def do_GET(self) -> None:
        if self.path.startswith("/token?"):
            scope = parse_qs(urlsplit(self.path).query)["scope"]
            self._send(Answer(200, content=json.dumps({"token": "+".join(scope)}).encode()))
        else:
            super().do_GET()

    def _is_allowed(self) -> bool:
        given = self.headers.get("Authorization", "")
        if self.path.startswith("/token?"):
            allowed = given == f"Basic {self.login}"
        else:
            allowed = given == "Bearer repository:team/app:pull,push"
        if not allowed:
            challenge = f'Bearer realm="http://{self.headers["Host"]}/token",service="tests"'
            self._send(Answer(401, ("UNAUTHORIZED", "who are you?"), headers={"WWW-Authenticate": challenge}))
        return allowed


@contextmanager
def serve_tokens(user: str, password: str) -> Iterator[str]:
    """The address of a registry with tokens, whose one repository is `team/app`."""
    encoded = b64encode(f"{user}:{password}".encode()).decode()
    with serve_answers(type("Handler", (_TokenHandler,), {"login": encoded})) as address:
        yield address


@contextmanager
def serve_answers(handler: type[_Handler] = _Handler) -> Iterator[str]:
    """The registry's address; its repositories are `team/<name>`."""
    with serving(handler) as port:
        yield f"127.0.0.1:{port}"
