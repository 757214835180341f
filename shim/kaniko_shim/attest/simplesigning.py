"""Signatures in cosign's format, under the tag `sha256-….sig` of the image's repository.

https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
"""

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kaniko_shim.attest.artifact import Artifact, Blob, descriptor, dump
from kaniko_shim.oci.digests import digest_of
from kaniko_shim.oci.media_types import MANIFEST
from kaniko_shim.system.json_text import load_json

if TYPE_CHECKING:
    from kaniko_shim.attest.keys import Key, PublicKey

_PAYLOAD_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_ANNOTATION = "dev.cosignproject.cosign/signature"

_Descriptor = Mapping[str, object]


def signature_tag(digest: str) -> str:
    """The tag that holds the signatures of the image with a `sha256:…` digest."""
    return f"{digest.replace(':', '-')}.sig"


def sign(repository: str, digest: str, key: "Key", held: Sequence[_Descriptor] = ()) -> Artifact | None:
    """The signatures of an image: the existing ones and that of the key; None if the key's signature exists.

    Args:
        repository: `registry/path` of the image.
        digest: `sha256:…` of its manifest.
        key: Signs.
        held: Descriptors of the signatures that are there already.
    """
    payload = payload_of(repository, digest)
    if any(each.get("digest") == digest_of(payload) and _is_of(each, payload, key.public) for each in held):
        return None
    annotation = {_ANNOTATION: base64.b64encode(key.sign(payload).content).decode()}
    layers = [*held, descriptor(Blob(_PAYLOAD_TYPE, payload, annotation))]
    root = {"type": "layers", "diff_ids": [layer.get("digest") for layer in layers]}
    config = Blob(_CONFIG_TYPE, dump({"architecture": "", "os": "", "config": {}, "rootfs": root}))
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(config), "layers": layers}
    return Artifact(dump(manifest), (config.content, payload))


def payload_of(repository: str, digest: str) -> bytes:
    """What a signature of an image signs."""
    return dump(
        {
            "critical": {
                "identity": {"docker-reference": repository},
                "image": {"docker-manifest-digest": digest},
                "type": "cosign container image signature",
            },
            "optional": None,
        }
    )


def held_signatures(manifest: bytes) -> list[_Descriptor]:
    """The descriptors of the signatures that a manifest holds."""
    try:
        layers = load_json(manifest)["layers"]
    except (ValueError, KeyError, TypeError):
        return []
    if not isinstance(layers, list):
        return []
    return [layer for layer in layers if isinstance(layer, dict) and layer.get("mediaType") == _PAYLOAD_TYPE]


def _is_of(held: _Descriptor, payload: bytes, public: "PublicKey | None") -> bool:
    annotations = held.get("annotations")
    signature = annotations.get(_ANNOTATION) if isinstance(annotations, dict) else None
    try:
        return public is not None and isinstance(signature, str) and public.made(base64.b64decode(signature), payload)
    except ValueError:
        return False
