"""Signed statements: DSSE envelopes, and the bundles of Sigstore that cosign reads.

https://github.com/secure-systems-lab/dsse/blob/master/protocol.md,
https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto
"""

import base64
from typing import TYPE_CHECKING

from kaniko_shim.attest.artifact import dump
from kaniko_shim.attest.statement import MEDIA_TYPE

if TYPE_CHECKING:
    from kaniko_shim.attest.keys import Key

BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def bundle(statement: bytes, key: "Key") -> bytes:
    """A statement with a key's signature, as a bundle."""
    signature = key.sign(to_be_signed(statement))
    return dump(
        {
            "mediaType": BUNDLE_TYPE,
            "verificationMaterial": signature.material,
            "dsseEnvelope": {
                "payload": base64.b64encode(statement).decode(),
                "payloadType": MEDIA_TYPE,
                "signatures": [{"sig": base64.b64encode(signature.content).decode()}],
            },
        }
    )


def statement_in(message: bytes) -> bytes | None:
    """The statement that a message of `to_be_signed` is about; None if it is no such message."""
    head = b"DSSEv1 %d %s " % (len(MEDIA_TYPE), MEDIA_TYPE.encode())
    statement = message.removeprefix(head).partition(b" ")[2]
    return statement if to_be_signed(statement) == message else None


def to_be_signed(statement: bytes) -> bytes:
    """DSSE's pre-authentication encoding of a statement."""
    return b"DSSEv1 %d %s %d %s" % (len(MEDIA_TYPE), MEDIA_TYPE.encode(), len(statement), statement)
