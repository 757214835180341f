"""Makes an image index, from manifests that lie in the registry already, as a layout that crane pushes."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kaniko_shim.layout import sizes
from kaniko_shim.platforms import Member

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
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"


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


def write_layout(index: ImageIndex, manifests: Sequence[bytes], directory: Path) -> None:
    """Write a layout whose `index.json` is the index; of its images it has the manifests only."""
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="ascii")
    for manifest in manifests:
        (blobs / hashlib.sha256(manifest).hexdigest()).write_bytes(manifest)
    (directory / "index.json").write_bytes(index.content)


def _descriptor(member: Member, manifest: bytes) -> dict[str, object]:
    if f"sha256:{hashlib.sha256(manifest).hexdigest()}" != member.digest:
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
