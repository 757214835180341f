"""A signer elsewhere in the cluster: what `push` and `index` ask it for, and how they know that it is the signer.

The signer has a certificate of its own making, whose fingerprint it signs with its key. So whoever has the public key
knows whom it sends the pod's token to, and no authority has to be set up.
"""

import hashlib
import ssl
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kaniko_shim.attest.keys import PublicKey
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

IDENTITY_PATH: Final = "/identity"
SIGN_PATH: Final = "/sign"
MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes of a message to sign: of an SBOM, in the end."""

_TIMEOUT: Final = 60.0
_MOST_ANSWER: Final = 65536
_PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
_PASSING: Final = frozenset({408, 409, 429, 500, 502, 503, 504})
_OK: Final = 200
_LONGEST: Final = 500


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

    def sign(self, message: bytes) -> bytes:
        """The signature of a message that the signer finds true.

        Raises:
            JobError: SigningFailed; the signer refused, or did not answer within half a minute.
        """
        problem = ""
        for pause in (*_PAUSES, None):
            try:
                status, body = self._ask(message)
            except (HTTPException, OSError) as error:
                problem = f"{self.url} can't be reached ({type(error).__name__}: {error})"
            else:
                said = body[:_LONGEST].decode(errors="replace")
                if status == _OK and self.public.made(body, message):
                    return body
                if status == _OK:
                    raise _failed(f"{self.url} sent a signature that is not of its public key")
                problem = f"{self.url} answered {status}: {said}"
                if status not in _PASSING:
                    break
            if pause is not None:
                time.sleep(pause)
        raise _failed(problem)

    def made(self, signature: bytes, message: bytes) -> bool:
        """Whether a signature of a message is this key's."""
        return self.public.made(signature, message)

    @property
    def hint(self) -> str:
        """What names the public key in a bundle."""
        return self.public.hint

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
            if status != _OK or not self.public.made(identity, certificate_message(certificate)):
                raise _failed(f"{self.url} is not the signer: it does not have the private key of signer.publicKey")
            # On the same connection: nobody else gets the token.
            token = Path(self.token_file).read_text(encoding="utf-8").strip()
            connection.request("POST", SIGN_PATH, body=message, headers={"Authorization": f"Bearer {token}"})
            return _answer(connection)


def _answer(connection: HTTPSConnection) -> tuple[int, bytes]:
    answer = connection.getresponse()
    return answer.status, answer.read(_MOST_ANSWER)


def _failed(problem: str) -> JobError:
    return JobError(Reason.SIGNING_FAILED, f"The cluster's signer did not sign: {problem}.")
