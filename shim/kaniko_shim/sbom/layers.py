"""The files of an image that tell of packages, from its layers: later ones replace and remove those of earlier ones."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kaniko_shim.archives.buffered import Buffered
from kaniko_shim.archives.entries import CHUNK, Entry, Kind
from kaniko_shim.archives.extract import decompressed
from kaniko_shim.archives.tar import read_tar
from kaniko_shim.oci.blobs import blob_path
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sbom.databases import OS_RELEASE, is_unread, reader_of

_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
#: Bytes of all such files together.
_MOST: Final = 256 * 1024 * 1024


def read_layers(layout: Path, manifest: bytes) -> dict[str, str]:
    """The text of each file of a checked layout's image that tells of packages, by its path without a leading slash.

    Raises:
        JobError: Internal; a layer can't be read, or the files are too large.
    """
    files: dict[str, str] = {}
    for layer in json.loads(manifest)["layers"]:
        path = blob_path(layout, layer["digest"])
        try:
            with path.open("rb") as stream:
                _add(files, read_tar(decompressed(Buffered(lambda: stream.read(CHUNK))), skip_special=True))
        except JobError as error:
            problem = error.failure.message.replace("The context's archive", "It").replace("The context's entry", "Its")
            raise JobError(
                Reason.INTERNAL,
                f"The layer {layer['digest']} can't be read for the bill of materials: {problem}",
                hint="Build without SBOM.",
            ) from error
    return files


def _add(files: dict[str, str], entries: Iterator[Entry]) -> None:
    added: dict[str, str] = {}
    links: dict[str, str] = {}
    for entry in entries:
        path = entry.name.removeprefix("./").strip("/")
        folder, _, name = path.rpartition("/")
        if name == _OPAQUE:
            _remove(files, folder)
        elif name.startswith(_WHITEOUT):
            _remove(files, f"{folder}/{name.removeprefix(_WHITEOUT)}".strip("/"))
        elif entry.kind is Kind.FILE and _is_wanted(path):
            added[path] = _text(entry, sum(map(len, files.values())) + sum(map(len, added.values())))
        elif entry.kind is not Kind.DIRECTORY:
            # What is no such file any more, or a name of a file that may be one.
            _remove(files, path)
            if entry.kind is Kind.HARDLINK and _is_wanted(path):
                links[path] = entry.target.removeprefix("./").strip("/")
    files |= added
    files |= {path: files[target] for path, target in links.items() if target in files}


def _is_wanted(path: str) -> bool:
    return reader_of(path) is not None or path in OS_RELEASE or is_unread(path)


def _remove(files: dict[str, str], path: str) -> None:
    for each in [each for each in files if each == path or not path or each.startswith(f"{path}/")]:
        del files[each]


def _text(entry: Entry, held: int) -> str:
    if is_unread(entry.name.removeprefix("./").strip("/")):
        return ""
    content = bytearray()
    for chunk in entry.chunks:
        content += chunk
        if held + len(content) > _MOST:
            raise JobError(Reason.INTERNAL, f"The files of package managers have more than {_MOST} bytes.")
    return content.decode("utf-8", "replace")
