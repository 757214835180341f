"""An S3 server: moto's, run by uv in an environment of its own, since it and the operator's client want different
versions of one library. To take another version, change it here."""

import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.https import Https
from support.ports import free_port

MOTO = "moto[s3,server]==5.2.5"
UV = Path(__file__).resolve().parents[2] / "build" / "uv"


@dataclass(frozen=True)
class S3:
    """A running server; it takes any access key, and refuses only who has none.

    Attributes:
        authority: what its certificate can be checked with, where it has one.
    """

    url: str
    authority: Path

    def make_bucket(self, name: str) -> None:
        self._put(name, b"")

    def put(self, bucket: str, key: str, content: bytes) -> None:
        self._put(f"{bucket}/{key}", content)

    def _put(self, path: str, content: bytes) -> None:
        # moto looks into this header for who asks, and at the signatures of nobody.
        who = (
            "AWS4-HMAC-SHA256 Credential=AKIDADMIN/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
        )
        headers = {"Authorization": who, "Content-Type": "application/octet-stream"}
        request = urllib.request.Request(f"{self.url}/{path}", content, headers, method="PUT")
        urllib.request.urlopen(request, timeout=30, context=_trusting(self.authority)).close()


@contextmanager
def serve_s3(directory: Path, address: str = "127.0.0.1", *, tls: bool = True) -> Iterator[S3]:
    port = free_port(address)
    https = Https.make(directory)
    command = [str(UV), "tool", "run", "--quiet", "--from", MOTO, "moto_server", f"--host={address}", f"--port={port}"]
    if tls:
        command += [f"--ssl-cert={https.certificate}", f"--ssl-key={https.key}"]
    server = S3(f"{'https' if tls else 'http'}://{address}:{port}", https.authority)
    with (directory / "moto.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
    try:
        _wait(server, process, directory / "moto.log")
        yield server
    finally:
        process.terminate()
        process.wait()


def _wait(server: S3, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 120
    context = _trusting(server.authority)
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{server.url}/moto-api/", timeout=5, context=context).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"moto's server does not answer:\n{log.read_text()}")


def _trusting(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority)
