"""The signer's server: HTTPS with a certificate that it makes at its start."""

import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kaniko_shim.attest.central import IDENTITY_PATH, MOST_BYTES, SIGN_PATH, certificate_message
from kaniko_shim.attest.keys import Key
from kaniko_shim.net.server import BAD_REQUEST, BUSY, NOT_FOUND, OK, TOO_LARGE, Answering, LimitedServer
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.signer.cluster import Cluster
from kaniko_shim.signer.policy import Grant, RefusedError, build_of, caller_of, check, grant_of
from kaniko_shim.system.clock import later

#: Seconds that the clock of a build's node may be ahead of this one's.
SKEW: Final = 300
#: Connections at once, and of one address.
CONNECTIONS: Final = 256
OF_ONE: Final = 8
#: Requests at once; further ones are told to come back.
AT_ONCE: Final = 4
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
            RefusedError: the pod may not have it signed; 503, its KMS did not sign.
        """
        try:
            what = check(message, grant, later(SKEW))
        except RefusedError as error:
            self.say(f"refused to sign for {grant.build}: {error}")
            raise
        try:
            signature = self.key.sign(message).content
        except JobError as error:
            # What a KMS says is for the administrator.
            self.say(f"could not sign the {what} for {grant.build}: {error}")
            raise RefusedError(BUSY, "the signer's KMS did not sign; its log says why") from error
        self.say(f"signed the {what} for {grant.build}")
        return signature


class SignerServer(LimitedServer):
    """Listens, and answers each connection."""

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
        super().__init__(address, _Connection, CONNECTIONS, OF_ONE)

    def secured(self, connection: socket.socket) -> socket.socket:
        """The connection with TLS."""
        return self.context.wrap_socket(connection, server_side=True)


class _Connection(Answering):
    """One request."""

    server: SignerServer
    server_version = "imagebuild-signer"

    def do_GET(self) -> None:  # noqa: N802 - the name that the library calls
        """Say who this is, or that it lives."""
        if self.path == IDENTITY_PATH:
            self.answer(OK, self.server.identity)
        else:
            self.answer(OK if self.path == "/healthz" else NOT_FOUND, b"")

    def do_POST(self) -> None:  # noqa: N802 - same
        """Sign."""
        length = self.length()
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if self.path != SIGN_PATH:
            self.answer(NOT_FOUND, b"")
        elif length is None or kind != "Bearer" or not token:
            self.answer(BAD_REQUEST, b"send a message and the token of a pod")
        elif length > MOST_BYTES:
            self.answer(TOO_LARGE, b"the message is too large")
        elif not self.server.free.acquire(blocking=False):
            self.answer(BUSY, b"too many requests at once")
        else:
            status, answer = self._sign(token.strip(), length)
            self.answer(status, answer)
            if status != OK:
                self.drain(length)

    def _sign(self, token: str, length: int) -> tuple[int, bytes]:
        try:
            # First whose it is: nobody else may keep a place by sending slowly.
            grant = self.server.signer.grant(token)
            return OK, self.server.signer.sign(grant, self.rfile.read(length))
        except RefusedError as error:
            return error.status, str(error).encode()
        finally:
            self.server.free.release()


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
