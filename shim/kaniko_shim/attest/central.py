"""A signer elsewhere in the cluster: what `push` and `index` ask it for, and how they know that it is the signer.

The signer has a certificate of its own making, whose fingerprint it signs with its key. So whoever has the public key
knows whom it sends the pod's token to, and no authority has to be set up.
"""

import hashlib
import ssl
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kaniko_shim.attest.keys import PublicKey, Signature
from kaniko_shim.attest.persistence import OK, persist, signing_failed

IDENTITY_PATH: Final = "/identity"
SIGN_PATH: Final = "/sign"
MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes of a message to sign: of an SBOM, in the end."""

_TIMEOUT: Final = 60.0
_MOST_ANSWER: Final = 65536


def certificate_message(certificate: bytes) -> bytes:
    """What the signer signs about its certificate (DER). Nothing else that it signs begins like this."""
    return b"imagebuild.dev/signer/certificate/v1\n" + hashlib.sha256(certificate).hexdigest().encode()


@dataclass(frozen=True, slots=True)
class CentralKey:
    """The key of the cluster's signer.

    Attributes:
        url: `https://HOST:PORT` of the signer.
        public: its public key.
        token_file: has the token that says which pod asks.
    """

    url: str
    public: PublicKey
    token_file: str

    def sign(self, message: bytes) -> Signature:
        """The signature of a message that the signer finds true.

        Raises:
            JobError: SigningFailed; the signer refused, or did not answer within half a minute.
        """
        signature = persist(lambda: self._ask(message), self.url)
        if not self.public.made(signature, message):
            raise signing_failed(f"{self.url} sent a signature that is not of its public key")
        return Signature(signature, self.public.material)

    def _ask(self, message: bytes) -> tuple[int, bytes]:
        parts = urlsplit(self.url)
        # Whose certificate it is, is asked below. No proxy: the signer is in the cluster.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with closing(
            HTTPSConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT, context=context)
        ) as connection:
            connection.connect()
            certificate = connection.sock.getpeercert(binary_form=True) or b""
            connection.request("GET", IDENTITY_PATH)
            status, identity = _answer(connection)
            if status != OK or not self.public.made(identity, certificate_message(certificate)):
                problem = "is not the signer: it does not have the private key of signer.publicKey"
                raise signing_failed(f"{self.url} {problem}")
            # On the same connection: nobody else gets the token.
            token = Path(self.token_file).read_text(encoding="utf-8").strip()
            connection.request("POST", SIGN_PATH, body=message, headers={"Authorization": f"Bearer {token}"})
            return _answer(connection)


def _answer(connection: HTTPSConnection) -> tuple[int, bytes]:
    answer = connection.getresponse()
    return answer.status, answer.read(_MOST_ANSWER)
