"""OCI image layouts of one layer, the same bytes for the same content."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cluster.console import run

CHUNK = 1 << 20
EPOCH = "1970-01-01T00:00:00Z"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def write_layout(folder: Path, layer: IO[bytes], config: dict[str, object]) -> None:
    """Write a layout with one image.

    Args:
        folder: where; it exists and is empty.
        layer: the root file system, as an uncompressed tar archive.
        config: what Docker calls the container configuration (Env, Cmd, Entrypoint).
    """
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    content = hashlib.sha256()
    draft = folder / "layer"
    with draft.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as compressed:
        for chunk in _chunks(layer):
            content.update(chunk)
            compressed.write(chunk)
    with draft.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    size = draft.stat().st_size
    draft.rename(blobs / digest)
    image: dict[str, object] = {
        "architecture": run(["dpkg", "--print-architecture"]).strip(),
        "os": "linux",
        "created": EPOCH,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{content.hexdigest()}"]},
        "history": [{"created": EPOCH, "created_by": "imagebuild test cluster"}],
    }
    manifest: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _blob(blobs, "application/vnd.oci.image.config.v1+json", image),
        "layers": [
            {
                "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": f"sha256:{digest}",
                "size": size,
            }
        ],
    }
    index = {"schemaVersion": 2, "manifests": [_blob(blobs, MANIFEST, manifest)]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def digest(layout: Path) -> str:
    """The digest of the image in a layout."""
    index = json.loads((layout / "index.json").read_text())
    return str(index["manifests"][0]["digest"])


def _blob(blobs: Path, media_type: str, content: dict[str, object]) -> dict[str, object]:
    data = json.dumps(content, sort_keys=True).encode()
    name = hashlib.sha256(data).hexdigest()
    (blobs / name).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(data)}


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk
