"""What an image consists of, each thing by its name: the fields of its config, and the files of its layers."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kaniko_shim.archives.buffered import Buffered
from kaniko_shim.archives.entries import CHUNK, Entry
from kaniko_shim.archives.extract import decompressed
from kaniko_shim.archives.tar import read_tar
from kaniko_shim.oci.blobs import blob_path
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.system.json_text import load_json

#: Bytes of a name that is kept.
_LONGEST: Final = 200


def contents(layout: Path, manifest: bytes) -> dict[int, str]:
    """The name of each thing in an image, by a number of 64 bits that depends on all that it is.

    Args:
        layout: a checked layout, with all layers.
        manifest: of its image.

    Raises:
        JobError: Internal; a layer can't be read.
    """
    read = load_json(manifest)
    config = load_json(blob_path(layout, read["config"]["digest"]).read_bytes())
    found = {_number(name, value): name for name, value in _fields(config)}
    for number, layer in enumerate(read["layers"]):
        try:
            with blob_path(layout, layer["digest"]).open("rb") as stream:
                content = decompressed(Buffered(lambda: stream.read(CHUNK)))
                for entry in read_tar(content, skip_special=True, is_whole=lambda: True):
                    name = f"/{entry.name.removeprefix('./').strip('/')}"
                    found[_number(f"{number} {name}", _fingerprint(entry))] = name[:_LONGEST]
        except JobError as error:
            if error.failure.reason is not Reason.SOURCE_INVALID:
                raise
            problem = f"The two builds can't be compared, since the layer {layer['digest']} can't be read."
            raise JobError(Reason.INTERNAL, problem, hint="Build without output.corroborate.") from error
    return found


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
