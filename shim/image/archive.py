"""Docker's archives, which `docker save` writes and `docker load` reads, from and to OCI layouts.

Docker writes OCI layouts itself only since version 25, and other programs that talk to its daemon know
neither its contexts nor all of its variables. So images pass through the docker command, in its own archives.
"""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import IO

from image.layout import blob_path, read_manifest

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_OCI = "application/vnd.oci.image"


def write_archive(layout: Path, image: str, archive: Path) -> None:
    """Write the image of an OCI layout as an archive for `docker load`.

    Args:
        layout: the layout.
        image: the name that the loaded image gets, with a tag.
        archive: the file to write.
    """
    manifest = read_manifest(layout)
    config = f"{_hex(manifest['config']['digest'])}.json"
    layers = [layer["digest"] for layer in manifest["layers"]]
    index = [{"Config": config, "RepoTags": [image], "Layers": [f"{_hex(layer)}.tar" for layer in layers]}]
    with tarfile.open(archive, "w") as tar:
        tar.add(blob_path(layout, manifest["config"]["digest"]), config)
        for layer in dict.fromkeys(layers):
            tar.add(blob_path(layout, layer), f"{_hex(layer)}.tar")
        content = json.dumps(index).encode()
        member = tarfile.TarInfo("manifest.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))


def read_archive(archive: Path, layout: Path) -> None:
    """Write the image of a `docker save` archive into a new OCI layout, its layers compressed."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        (image,) = json.load(_open(tar, "manifest.json"))
        with _open(tar, image["Config"]) as stream:
            config = _save(blobs, stream.read(), f"{_OCI}.config.v1+json")
        layers = []
        for name in image["Layers"]:
            with _open(tar, name) as stream:
                layers.append(_save_layer(blobs, stream))
    kind = f"{_OCI}.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers}
    entry = _save(blobs, json.dumps(manifest).encode(), kind)
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}), encoding="utf-8")
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")


def _save_layer(blobs: Path, stream: IO[bytes]) -> dict[str, object]:
    draft = blobs / "draft"
    first = stream.read(_CHUNK)
    with draft.open("wb") as file:
        if first.startswith(_GZIP):
            _copy(first, stream, file)
        else:
            with gzip.GzipFile("", "wb", 6, file, mtime=0) as compressed:
                _copy(first, stream, compressed)
    with draft.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    size = draft.stat().st_size
    draft.rename(blobs / digest)
    return {"mediaType": f"{_OCI}.layer.v1.tar+gzip", "digest": f"sha256:{digest}", "size": size}


def _copy(chunk: bytes, source: IO[bytes], target: IO[bytes] | gzip.GzipFile) -> None:
    while chunk:
        target.write(chunk)
        chunk = source.read(_CHUNK)


def _save(blobs: Path, content: bytes, media_type: str) -> dict[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _open(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    # A layer that an archive holds twice is a link to the first; extractfile follows it.
    stream = tar.extractfile(name)
    if stream is None:
        raise KeyError(name)
    return stream


def _hex(digest: str) -> str:
    return digest.partition(":")[2]
