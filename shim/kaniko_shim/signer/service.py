"""The signer's server: HTTPS with a certificate that it makes at its start."""

import contextlib
import socket
import ssl
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kaniko_shim.attest.central import IDENTITY_PATH, MOST_BYTES, SIGN_PATH, certificate_message
from kaniko_shim.attest.keys import Key
from kaniko_shim.signer.cluster import Cluster
from kaniko_shim.signer.policy import Grant, RefusedError, build_of, caller_of, check, grant_of
from kaniko_shim.system.clock import later

#: Seconds that a client may keep a connection silent.
SILENCE: Final = 30.0
#: Seconds that the clock of a build's node may be ahead of this one's.
SKEW: Final = 300
#: Seconds that a connection lasts; how many there are at once, and of one address.
LIFETIME: Final = 120.0
CONNECTIONS: Final = 256
OF_ONE: Final = 8
#: Requests at once; further ones are told to come back.
AT_ONCE: Final = 4
_OK, _BAD, _MISSING, _TOO_LARGE, _BUSY = 200, 400, 404, 413, 503
_VALID: Final = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs what the pods of builds ask for.

    Attributes:
        key: signs.
        cluster: says what is true.
        say: writes a line of the log; from any thread.
    """

    key: Key
    cluster: Cluster
    say: Callable[[str], None]

    def grant(self, token: str) -> Grant:
        """What the pod of a token may have signed.

        Raises:
            RefusedError: it is not a pod of a build.
        """
        caller = caller_of(self.cluster.review(token))
        try:
            pod = self.cluster.pod(caller.namespace, caller.pod)
            return grant_of(caller, pod, self.cluster.build(caller.namespace, build_of(caller, pod)))
        except RefusedError as error:
            self.say(f"refused pod {caller.namespace}/{caller.pod}: {error}")
            raise

    def sign(self, grant: Grant, message: bytes) -> bytes:
        """The signature of a message.

        Raises:
            RefusedError: the pod may not have it signed.
        """
        try:
            what = check(message, grant, later(SKEW))
        except RefusedError as error:
            self.say(f"refused to sign for {grant.build}: {error}")
            raise
        self.say(f"signed the {what} for {grant.build}")
        return self.key.sign(message).content


class SignerServer(ThreadingHTTPServer):
    """Listens, and answers each connection in a thread."""

    daemon_threads = True

    def __init__(self, signer: Signer, address: tuple[str, int]) -> None:
        """Listen.

        Args:
            signer: signs.
            address: host, empty for every one, and port.
        """
        self.context, certificate = _certificate()
        self.signer = signer
        self.identity = signer.key.sign(certificate_message(certificate)).content
        self.free = threading.BoundedSemaphore(AT_ONCE)
        self._lock = threading.Lock()
        self._open = Counter[str]()
        super().__init__(address, _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the library has it
        """Start a thread for a connection, unless there are many, or many of the same pod."""
        with self._lock:
            is_one_of_many = self._open.total() >= CONNECTIONS or self._open[client_address[0]] >= OF_ONE
            self._open[client_address[0]] += not is_one_of_many
        if is_one_of_many:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the library has it
        """Answer a connection, for a while only."""
        request.settimeout(SILENCE)
        try:
            # Not before: a client that does not speak would keep all others waiting.
            secured = self.context.wrap_socket(request, server_side=True)
        except OSError:
            self.shutdown_request(request)
        else:
            end = threading.Timer(LIFETIME, _cut, (secured,))
            end.daemon = True
            end.start()
            super().process_request_thread(secured, client_address)
            end.cancel()
        finally:
            with self._lock:
                self._open[client_address[0]] -= 1
                self._open += Counter()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore connections that break, and clients that do not speak TLS."""


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Connection(BaseHTTPRequestHandler):
    """One request."""

    server: SignerServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "imagebuild-signer", ""
    timeout = SILENCE

    def do_GET(self) -> None:
        """Say who this is, or that it lives."""
        if self.path == IDENTITY_PATH:
            self._answer(_OK, self.server.identity)
        else:
            self._answer(_OK if self.path == "/healthz" else _MISSING, b"")

    def do_POST(self) -> None:
        """Sign."""
        length = self.headers.get("Content-Length", "")
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if self.path != SIGN_PATH:
            self._answer(_MISSING, b"")
        elif not (length.isascii() and length.isdigit()) or kind != "Bearer" or not token:
            self._answer(_BAD, b"send a message and the token of a pod")
        elif int(length) > MOST_BYTES:
            self._answer(_TOO_LARGE, b"the message is too large")
        elif not self.server.free.acquire(blocking=False):
            self._answer(_BUSY, b"too many requests at once")
        else:
            status, answer = self._sign(token.strip(), int(length))
            self._answer(status, answer)
            if status != _OK:
                self._drain(int(length))

    def _sign(self, token: str, length: int) -> tuple[int, bytes]:
        try:
            # First whose it is: nobody else may keep a place by sending slowly.
            grant = self.server.signer.grant(token)
            return _OK, self.server.signer.sign(grant, self.rfile.read(length))
        except RefusedError as error:
            return error.status, str(error).encode()
        finally:
            self.server.free.release()

    def _drain(self, length: int) -> None:
        """Read what is still sent: the kernel would else throw the answer away."""
        self.wfile.flush()
        self.connection.settimeout(1)
        with contextlib.suppress(OSError):
            while length > 0 and (read := self.rfile.read1(min(length, 65536))):
                length -= len(read)

    def log_message(self, *_: object) -> None:
        """Nothing: what is signed and refused is said where it is known."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status != _OK:
            # What was sent may not have been read.
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _certificate() -> tuple[ssl.SSLContext, bytes]:
    """A context with a certificate for a key that exists only here, and the certificate (DER)."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "imagebuild-signer")])
    begins = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + _VALID)
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with tempfile.TemporaryDirectory(dir=".") as directory:
        path = Path(directory) / "tls.pem"
        path.touch(mode=0o600)
        path.write_bytes(pem)
        context.load_cert_chain(path)
    return context, certificate.public_bytes(serialization.Encoding.DER)
