"""The one image of an OCI layout."""

import json
from pathlib import Path
from typing import Any


def read_manifest(layout: Path) -> dict[str, Any]:
    """The manifest of the image."""
    return dict(json.loads(blob_path(layout, manifest_digest(layout)).read_bytes()))


def manifest_digest(layout: Path) -> str:
    """The digest of the image's manifest."""
    index = json.loads((layout / "index.json").read_bytes())
    return str(index["manifests"][0]["digest"])


def image_ids(layout: Path) -> set[str]:
    """What container tools use as the image's id: the hash of its config or of its manifest, without `sha256:`."""
    digests = (read_manifest(layout)["config"]["digest"], manifest_digest(layout))
    return {str(digest).partition(":")[2] for digest in digests}


def layout_size(layout: Path) -> int:
    """Bytes of the image's config and compressed layers."""
    manifest = read_manifest(layout)
    return sum(int(part["size"]) for part in (manifest["config"], *manifest["layers"]))


def blob_path(layout: Path, digest: str) -> Path:
    """The file of a blob."""
    return layout / "blobs" / digest.replace(":", "/")
