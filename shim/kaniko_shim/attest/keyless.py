"""Signatures without a key to keep: with a key of this moment, and a certificate that says whose token asked for it.

What vouches for them is Sigstore's services, public or private: Fulcio certifies the key for some minutes
(https://github.com/sigstore/fulcio/blob/main/fulcio.proto), a timestamp authority says that the signature was made in
these minutes (RFC 3161), and Rekor logs it for everybody to see
(https://github.com/sigstore/rekor-tiles/blob/main/CLIENTS.md). The log gets the certificate, the signature and a digest
of what is signed, and never what is signed itself.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from urllib3.util import Timeout

from kaniko_shim.attest.keys import Signature
from kaniko_shim.attest.persistence import persist, signing_failed
from kaniko_shim.net.proxies import connect
from kaniko_shim.net.tls import tls_context
from kaniko_shim.system.json_text import load_json

_CERTIFICATE_PATH: Final = "/api/v2/signingCert"
_ENTRIES_PATH: Final = "/api/v2/log/entries"
_FRESH: Final = 300.0
"""Seconds that a certificate is used: half of the ten minutes for which Fulcio's are valid."""
_TIMEOUT: Final = Timeout(connect=20, read=60)
"""Rekor answers when it has published a checkpoint with the entry, which can take 20 seconds."""
_MOST_ANSWER: Final = 1024 * 1024
_JSON: Final = "application/json"
_TIMESTAMP_QUERY: Final = "application/timestamp-query"
#: TimeStampReq up to the digest: version 1, SHA-256; then a nonce of eight bytes, and certReq TRUE.
_QUERY_HEAD: Final = bytes.fromhex("3043 020101 3031 300d 0609608648016503040201 0500 0420")
_NONCE_HEAD: Final = bytes.fromhex("0208")
_WITH_CERTIFICATE: Final = bytes.fromhex("0101ff")
#: PKIStatusInfo of a TimeStampResp: granted, and nothing to say about it.
_GRANTED: Final = bytes.fromhex("3003 020100")


@dataclass(frozen=True, slots=True)
class Services:
    """Sigstore's services, and who asks them.

    Attributes:
        fulcio: URL of Fulcio, the certificate authority.
        rekor: URL of Rekor (version 2), the transparency log.
        timestamp: URL of the timestamp authority, with its path.
        token_file: has an OpenID Connect token with the audience `sigstore`, whose subject the certificate names.
    """

    fulcio: str
    rekor: str
    timestamp: str
    token_file: str


@dataclass(frozen=True, slots=True)
class _Certified:
    """A key with its certificate (DER), and when it was made by the clock of `time.monotonic`."""

    private: ec.EllipticCurvePrivateKey
    certificate: bytes
    made: float


@dataclass(slots=True)
class MomentaryKey:
    """A key of this moment, certified by Fulcio. Threads can share it.

    Attributes:
        services: certify, and log.
        environment: the variables for proxies and CA certificates.
        say: writes a line of the log.
    """

    services: Services
    environment: Mapping[str, str]
    say: Callable[[str], None]
    _certified: _Certified | None = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def public(self) -> None:
        """Nothing: the certificate in each bundle has the public key."""
        return

    def sign(self, message: bytes) -> Signature:
        """The signature of a message, with the certificate, a timestamp of the signature, and its entry in the log.

        Raises:
            JobError: SigningFailed; a service refused, or did not answer.
        """
        key = self._key()
        signature = key.private.sign(message, ec.ECDSA(hashes.SHA256()))
        certificate = {"rawBytes": _base64(key.certificate)}
        stamp = {"signedTimestamp": _base64(self._timestamp(signature))}
        verifier = {"x509Certificate": certificate, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
        entry = {
            "digest": _base64(hashlib.sha256(message).digest()),
            "signature": {"content": _base64(signature), "verifier": verifier},
        }
        rekor = self.services.rekor
        logged = self._ask_json(f"{rekor}{_ENTRIES_PATH}", {"hashedRekordRequestV002": entry})
        if not _is_about(logged.get("canonicalizedBody"), signature):
            raise signing_failed(f"{rekor} did not answer with an entry for the signature, as Rekor 2 does")
        material = {
            "certificate": certificate,
            "tlogEntries": [logged],
            "timestampVerificationData": {"rfc3161Timestamps": [stamp]},
        }
        return Signature(signature, material)

    def _key(self) -> _Certified:
        with self._lock:
            if self._certified is None or time.monotonic() - self._certified.made > _FRESH:
                self._certified = self._certify()
            return self._certified

    def _certify(self) -> _Certified:
        made = time.monotonic()
        private = ec.generate_private_key(ec.SECP256R1())
        try:
            token = Path(self.services.token_file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise signing_failed(f"the token of SIGNING_TOKEN_FILE can't be read ({error})") from error
        # Who asks is in the token; the request for a certificate proves that the key is the asker's.
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(private, hashes.SHA256())
        pem = request.public_bytes(serialization.Encoding.PEM)
        asked = {"credentials": {"oidcIdentityToken": token}, "certificateSigningRequest": _base64(pem)}
        answer = self._ask_json(f"{self.services.fulcio}{_CERTIFICATE_PATH}", asked, token)
        try:
            signed: Any = next(found for name in _SIGNED if (found := answer.get(name)))
            certificate = x509.load_pem_x509_certificate(signed["chain"]["certificates"][0].encode())
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (LookupError, ValueError, TypeError, AttributeError, StopIteration, x509.ExtensionNotFound) as error:
            raise signing_failed(f"{self.services.fulcio} did not answer with a certificate") from error
        if certificate.public_key() != private.public_key():
            raise signing_failed(f"{self.services.fulcio} certified another key")
        self.say(f"signing as {', '.join(str(name.value) for name in names)}")
        return _Certified(private, certificate.public_bytes(serialization.Encoding.DER), made)

    def _timestamp(self, signature: bytes) -> bytes:
        digest, nonce = hashlib.sha256(signature).digest(), b"\x01" + secrets.token_bytes(7)
        query = _QUERY_HEAD + digest + _NONCE_HEAD + nonce + _WITH_CERTIFICATE
        answer = self._ask(self.services.timestamp, query, _TIMESTAMP_QUERY)
        # Whoever verifies the bundle looks at its signature; here, at what it was made for.
        if not (_GRANTED in answer[:16] and digest in answer and nonce in answer):
            raise signing_failed(f"{self.services.timestamp} did not answer with a timestamp of the signature")
        return answer

    def _ask_json(self, url: str, document: Mapping[str, object], secret: str = "") -> dict[str, object]:
        answer = self._ask(url, json.dumps(document).encode(), _JSON, secret)
        try:
            loaded: object = load_json(answer)
        except ValueError:
            loaded = None
        if not isinstance(loaded, dict):
            raise signing_failed(f"{url} did not answer with a JSON object")
        return loaded

    def _ask(self, url: str, body: bytes, kind: str, secret: str = "") -> bytes:
        return persist(partial(self._post, url, body, kind), url, secret)

    def _post(self, url: str, body: bytes, kind: str) -> tuple[int, bytes]:
        context = tls_context(self.environment) if url.startswith("https:") else None
        headers = {"Content-Type": kind, "Accept": "*/*"}
        # A redirect is not followed: the token is for the host that the user named.
        with connect(url, self.environment, context) as pool:
            answer = pool.request(
                "POST", url, body=body, headers=headers, preload_content=False, redirect=False, retries=False,
                timeout=_TIMEOUT,
            )  # fmt: skip
            return answer.status, answer.read(_MOST_ANSWER)


_SIGNED: Final = ("signedCertificateEmbeddedSct", "signedCertificateDetachedSct")


def _is_about(body: object, signature: bytes) -> bool:
    """Whether the body of an entry of the log has a signature."""
    try:
        return _base64(signature).encode() in base64.b64decode(str(body))
    except ValueError:
        return False


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
