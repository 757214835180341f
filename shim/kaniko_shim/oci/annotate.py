"""Adds annotations to the image in a layout that an engine has just written."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from kaniko_shim.oci.blobs import blob_path, write_layout
from kaniko_shim.oci.digests import digest_of
from kaniko_shim.oci.layout import read_document
from kaniko_shim.oci.media_types import MANIFEST


def layers_of(directory: Path) -> Sequence[str]:
    """The digests of the layers of the image in a layout; none if it is no OCI image, which alone has annotations.

    Raises:
        JobError: Internal; the layout can't be read.
    """
    manifest = _manifest_of(directory, read_document(directory, "index.json"))
    layers = manifest.get("layers")
    if manifest.get("mediaType") != MANIFEST or not isinstance(layers, list):
        return ()
    return [str(layer.get("digest")) for layer in layers if isinstance(layer, dict)]


def annotate(directory: Path, annotations: Mapping[str, str]) -> None:
    """Add annotations to the manifest, which gets another digest by that; nothing happens if it is no OCI image.

    Raises:
        JobError: Internal; the layout can't be read.
    """
    index = read_document(directory, "index.json")
    manifest = _manifest_of(directory, index)
    if manifest.get("mediaType") != MANIFEST:
        return
    own = manifest.get("annotations")
    manifest["annotations"] = {**annotations, **(own if isinstance(own, dict) else {})}
    content = json.dumps(manifest, separators=(",", ":")).encode()
    descriptor = cast("list[dict[str, object]]", index["manifests"])[0]
    digest = digest_of(content)
    index["manifests"] = [{**descriptor, "digest": digest, "size": len(content)}]
    write_layout(directory, json.dumps(index).encode(), (content,))
    if digest != descriptor["digest"]:
        blob_path(directory, str(descriptor["digest"])).unlink()


def _manifest_of(directory: Path, index: Mapping[str, object]) -> dict[str, object]:
    manifests = index.get("manifests")
    if not isinstance(manifests, list) or len(manifests) != 1 or not isinstance(manifests[0], dict):
        return {}
    digest = str(manifests[0].get("digest")).partition(":")[2]
    return read_document(directory, f"blobs/sha256/{digest}")
