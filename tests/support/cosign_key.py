"""A private key as `cosign generate-key-pair` writes it, and a judge of what it signs."""

import base64
import hashlib
import json
import os
import subprocess
from pathlib import Path

import nacl.secret
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

PASSWORD = "a password with blanks"


def encrypted_key() -> tuple[str, bytes]:
    """The encrypted private key, and the public one; both PEM."""
    private = ec.generate_private_key(ec.SECP256R1())
    der = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    salt, nonce = os.urandom(32), os.urandom(24)
    # cosign takes 65536; fewer rounds are quicker.
    rounds = 1024
    secret = hashlib.scrypt(PASSWORD.encode(), salt=salt, n=rounds, r=8, p=1, dklen=32)
    box = nacl.secret.SecretBox(secret).encrypt(der, nonce).ciphertext
    document = {
        "kdf": {
            "name": "scrypt",
            "params": {"N": rounds, "r": 8, "p": 1},
            "salt": base64.b64encode(salt).decode(),
        },
        "cipher": {"name": "nacl/secretbox", "nonce": base64.b64encode(nonce).decode()},
        "ciphertext": base64.b64encode(box).decode(),
    }
    body = base64.encodebytes(json.dumps(document).encode()).decode()
    label = "ENCRYPTED SIGSTORE PRIVATE KEY"
    pem = f"-----BEGIN {label}-----\n{body}-----END {label}-----\n"
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, public


def is_signed(message: bytes, signature: bytes, folder: Path) -> bool:
    """Whether OpenSSL finds a signature of a message good, by the public key `key.pub` of a folder."""
    (folder / "message").write_bytes(message)
    (folder / "signature").write_bytes(signature)
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pub", "-signature", "signature", "message"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode == 0
