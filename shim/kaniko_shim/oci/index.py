"""Makes an image index of images that are already in the registry."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from kaniko_shim.oci.digests import digest_of
from kaniko_shim.oci.layout import sizes
from kaniko_shim.oci.media_types import INDEX, MANIFEST, MANIFESTS
from kaniko_shim.oci.platform import Member
from kaniko_shim.system.json_text import load_json


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """An image index.

    Attributes:
        content: its bytes; the same members in the same order make the same bytes.
        size: bytes of all its images' configs and layers.
    """

    content: bytes
    size: int

    @property
    def digest(self) -> str:
        """`sha256:…` of the content."""
        return digest_of(self.content)


def make_index(members: Sequence[tuple[Member, bytes]]) -> ImageIndex:
    """Make the index of some images.

    Args:
        members: each image with its manifest.

    Raises:
        ValueError: names the digest whose manifest has another digest, or is not an image's.
    """
    descriptors = [_descriptor(member, manifest) for member, manifest in members]
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors}
    return ImageIndex(
        json.dumps(document, separators=(",", ":")).encode(), sum(sum(sizes(manifest)) for _, manifest in members)
    )


def _descriptor(member: Member, manifest: bytes) -> dict[str, object]:
    if digest_of(manifest) != member.digest:
        raise ValueError(f"{member.digest} is not the digest of the manifest that the registry returns for it")
    media_type = _media_type(manifest)
    if media_type not in MANIFESTS:
        raise ValueError(f"{member.digest} is not an image, but has the media type {media_type or '(none)'}")
    platform = {"architecture": member.platform.architecture, "os": member.platform.os}
    if member.platform.variant:
        platform["variant"] = member.platform.variant
    return {"mediaType": media_type, "digest": member.digest, "size": len(manifest), "platform": platform}


def _media_type(manifest: bytes) -> str:
    try:
        document: object = load_json(manifest)
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    # An OCI manifest need not declare its media type.
    default = MANIFEST if "layers" in document else ""
    return str(document.get("mediaType") or default)
