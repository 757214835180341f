"""Keys that sign: PEM as OpenSSL writes it, or as `cosign generate-key-pair` does, which is encrypted.

cosign's format: https://github.com/sigstore/cosign/blob/main/specs/ENCRYPTION.md is securesystemslib's, the PKCS #8 key
in a NaCl secret box under a key that scrypt makes of the password.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from kaniko_shim.system.json_text import load_json

_COSIGN_LABELS = ("ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY")
_MOST_SCRYPT_MEMORY = 256 * 1024 * 1024

_Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
_Public = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, and what a bundle says about how to verify it.

    Attributes:
        content: its bytes.
        material: the bundle's VerificationMaterial.
    """

    content: bytes
    material: Mapping[str, object]


class Key(Protocol):
    """What signatures are made with: a private key, a signer elsewhere that has one, or a key of this moment."""

    @property
    def public(self) -> "PublicKey | None":
        """What verifies every signature; None: the material of each says whose it is."""

    def sign(self, message: bytes) -> Signature:
        """The signature of a message.

        Raises:
            JobError: SigningFailed.
        """


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that signatures are verified with."""

    public: _Public

    def made(self, signature: bytes, message: bytes) -> bool:
        """Whether a signature of a message is this key's."""
        try:
            match self.public:
                case ec.EllipticCurvePublicKey():
                    self.public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
                case ed25519.Ed25519PublicKey():
                    self.public.verify(signature, message)
                case rsa.RSAPublicKey():
                    self.public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    @property
    def material(self) -> Mapping[str, object]:
        """What names it in a bundle: the base64 of the SHA-256 of its DER form."""
        der = self.public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return {"publicKey": {"hint": base64.b64encode(hashlib.sha256(der).digest()).decode()}}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that signatures are made with."""

    private: _Private = field(repr=False)

    def sign(self, message: bytes) -> Signature:
        """The signature of a message, with SHA-256 where the kind of key takes a digest."""
        match self.private:
            case ec.EllipticCurvePrivateKey():
                content = self.private.sign(message, ec.ECDSA(hashes.SHA256()))
            case ed25519.Ed25519PrivateKey():
                content = self.private.sign(message)
            case rsa.RSAPrivateKey():
                content = self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return Signature(content, self.public.material)

    @property
    def public(self) -> PublicKey:
        """Its public key."""
        return PublicKey(self.private.public_key())


def load_public_key(pem: str) -> PublicKey:
    """Read a public key in PEM.

    Raises:
        ValueError: the key can't be used.
    """
    try:
        loaded = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("it is not a public key in PEM format, such as cosign.pub") from error
    _check_curve(loaded)
    if not isinstance(loaded, _Public):
        raise ValueError(_KINDS.replace("private", "public"))  # noqa: TRY004 - a value of a variable
    return PublicKey(loaded)


def load_key(pem: str, password: str) -> SigningKey:
    """Read a private key.

    Args:
        pem: The key.
        password: Password of the key; empty if it is not encrypted, or with an empty password.

    Raises:
        ValueError: the key can't be used; the message says why, and never quotes the key.
    """
    label = pem.strip().partition("\n")[0].strip().strip("-").removeprefix("BEGIN ")
    loaded: object
    try:
        if label in _COSIGN_LABELS:
            loaded = serialization.load_der_private_key(_open_box(pem, password), None)
        else:
            loaded = _load_pem(pem.encode(), password)
    except UnsupportedAlgorithm as error:
        raise ValueError(_KINDS) from error
    _check_curve(loaded)
    if not isinstance(loaded, _Private):
        raise ValueError(_KINDS)  # noqa: TRY004 - a value of a variable
    return SigningKey(loaded)


def _check_curve(key: object) -> None:
    curve = getattr(key, "curve", None)
    if isinstance(curve, ec.EllipticCurve) and curve.name != ec.SECP256R1.name:
        raise ValueError(f"the key's curve is {curve.name}; use P-256")


_KINDS = "use a private key of kind ECDSA (P-256), Ed25519 or RSA"


def _load_pem(pem: bytes, password: str) -> object:
    try:
        return serialization.load_pem_private_key(pem, password.encode() or None)
    except TypeError as error:
        # The library's way to say that a password is missing, or that there is none to give.
        problem = "is encrypted and needs a password" if not password else "is not encrypted and takes no password"
        raise ValueError(f"the key {problem}") from error
    except ValueError as error:
        raise ValueError("it is not a private key in PEM format, or the password is wrong") from error


def _open_box(pem: str, password: str) -> bytes:
    import nacl.exceptions  # noqa: PLC0415 - for this kind of key only
    import nacl.secret  # noqa: PLC0415

    body = "".join(line.strip() for line in pem.strip().splitlines()[1:-1])
    try:
        document = load_json(base64.b64decode(body, validate=True))
        kdf, cipher = document["kdf"], document["cipher"]
        if (kdf["name"], cipher["name"]) != ("scrypt", "nacl/secretbox"):
            raise ValueError("unknown encryption")  # noqa: TRY301 - reported like the others
        n, r, p = (int(kdf["params"][name]) for name in ("N", "r", "p"))
        if 128 * n * r > _MOST_SCRYPT_MEMORY:
            raise ValueError("it takes too much memory")  # noqa: TRY301
        salt, nonce, box = (base64.b64decode(text) for text in (kdf["salt"], cipher["nonce"], document["ciphertext"]))
        secret = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, dklen=32, maxmem=2 * _MOST_SCRYPT_MEMORY)
        return bytes(nacl.secret.SecretBox(secret).decrypt(box, nonce))
    except nacl.exceptions.CryptoError as error:
        raise ValueError("the key's password is wrong") from error
    except (binascii.Error, KeyError, TypeError, ValueError) as error:
        raise ValueError("it is not what cosign generate-key-pair writes") from error
