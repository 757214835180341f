"""Makes an image index, from manifests that lie in the registry already, as a layout that crane pushes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from kaniko_shim.oci.digests import digest_of
from kaniko_shim.oci.layout import sizes
from kaniko_shim.oci.platform import Member

MEDIA_TYPE = "application/vnd.oci.image.index.v1+json"
IMAGES = frozenset(
    {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"}
)
"""Media types of images' manifests."""


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """An index.

    Attributes:
        content: its bytes: the same members make the same bytes.
        size: bytes of all its images' configs and layers.
    """

    content: bytes
    size: int

    @property
    def digest(self) -> str:
        """`sha256:…` of the content."""
        return digest_of(self.content)


def make_index(members: Sequence[tuple[Member, bytes]]) -> ImageIndex:
    """Make the index of images.

    Args:
        members: each with its manifest.

    Raises:
        ValueError: names the digest that is not that of its manifest, or of no image.
    """
    descriptors = [_descriptor(member, manifest) for member, manifest in members]
    document = {"schemaVersion": 2, "mediaType": MEDIA_TYPE, "manifests": descriptors}
    return ImageIndex(
        json.dumps(document, separators=(",", ":")).encode(), sum(sum(sizes(manifest)) for _, manifest in members)
    )


def _descriptor(member: Member, manifest: bytes) -> dict[str, object]:
    if digest_of(manifest) != member.digest:
        raise ValueError(f"{member.digest} is not the digest of what the registry has under it")
    media_type = _media_type(manifest)
    if media_type not in IMAGES:
        raise ValueError(f"{member.digest} is not an image but {media_type or 'something without a media type'}")
    platform = {"architecture": member.platform.architecture, "os": member.platform.os}
    if member.platform.variant:
        platform["variant"] = member.platform.variant
    return {"mediaType": media_type, "digest": member.digest, "size": len(manifest), "platform": platform}


def _media_type(manifest: bytes) -> str:
    try:
        document: object = json.loads(manifest)
    except ValueError:
        return ""
    if not isinstance(document, dict):
        return ""
    # An OCI manifest need not say what it is.
    default = "application/vnd.oci.image.manifest.v1+json" if "layers" in document else ""
    return str(document.get("mediaType") or default)
