"""What an image consists of, each thing by its name: the fields of its config, and the files of its layers."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kaniko_shim.archives.entries import Entry
from kaniko_shim.archives.layer import reading_layer
from kaniko_shim.oci.blobs import blob_path
from kaniko_shim.system.json_text import load_json

#: Characters of a name that are kept.
_LONGEST: Final = 200
_UNREAD: Final = ("The two builds can't be compared", "Build without output.corroborate.")


def contents(layout: Path, manifest: bytes) -> Iterator[tuple[int, str]]:
    """Each thing in an image: a number of 64 bits that depends on all that it is, and its name.

    Args:
        layout: a checked layout, with all layers.
        manifest: of its image.

    Raises:
        JobError: Internal; a layer can't be read.
    """
    read = load_json(manifest)
    config = load_json(blob_path(layout, read["config"]["digest"]).read_bytes())
    for name, value in _fields(config):
        yield _number(name, value), name
    for number, layer in enumerate(read["layers"]):
        with reading_layer(blob_path(layout, layer["digest"]), *_UNREAD) as entries:
            for entry in entries:
                name = f"/{entry.name.removeprefix('./').strip('/')}"
                yield _number(f"{number} {name}", _fingerprint(entry)), name[:_LONGEST]


def _fields(config: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """The fields of an image's config; not the digests of its layers, whose files are listed."""
    for name, value in config.items():
        if name == "config" and isinstance(value, dict):
            yield from ((f"the config's {field}", each) for field, each in value.items())
        elif name != "rootfs":
            yield f"the config's {name}", value


def _fingerprint(entry: Entry) -> object:
    content = hashlib.sha256()
    for chunk in entry.chunks:
        content.update(chunk)
    attributes = (entry.mode, entry.target, entry.modified, entry.is_roots, entry.has_capabilities)
    return entry.kind.name, attributes, content.hexdigest()


def _number(name: str, value: object) -> int:
    text = json.dumps([name, value], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])
