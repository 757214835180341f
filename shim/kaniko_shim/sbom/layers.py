"""The files of an image from which its packages are read, taken from its layers."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kaniko_shim.archives.buffered import Buffered
from kaniko_shim.archives.entries import CHUNK, Entry, Kind, unsafe
from kaniko_shim.archives.extract import decompressed
from kaniko_shim.archives.tar import read_tar
from kaniko_shim.oci.blobs import blob_path
from kaniko_shim.oci.whiteouts import parse_whiteout
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sbom.databases import OS_RELEASE, is_unread, reader_of
from kaniko_shim.system.json_text import load_json

#: Bytes of all such files together.
_MOST: Final = 256 * 1024 * 1024


def read_layers(layout: Path, manifest: bytes) -> dict[str, str]:
    """The text of each file that lists packages, by its path without a leading slash.

    Args:
        layout: a checked layout.
        manifest: of its image.

    Raises:
        JobError: Internal; a layer can't be read, or the files are too large.
    """
    image = _Image()
    for layer in load_json(manifest)["layers"]:
        path = blob_path(layout, layer["digest"])
        try:
            with path.open("rb") as stream:
                content = decompressed(Buffered(lambda: stream.read(CHUNK)))
                # The layout's check has compared every layer with its digest.
                image.add(read_tar(content, skip_special=True, is_whole=lambda: True))
        except JobError as error:
            if error.failure.reason is not Reason.SOURCE_INVALID:
                raise
            problem = error.failure.message.replace("The context's archive", "It").replace("The context's entry", "Its")
            raise JobError(
                Reason.INTERNAL,
                f"The SBOM can't be made, since the layer {layer['digest']} can't be read: {problem}",
                hint="Build without SBOM.",
            ) from error
    return image.files


class _Image:
    """The files of the layers so far.

    Attributes:
        files: their text, by path.
    """

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        # How many of the files lie below a directory.
        self._below: Counter[str] = Counter()
        self._size = 0

    def add(self, entries: Iterator[Entry]) -> None:
        """Put a layer on top."""
        # What a layer hides is never its own.
        layer: dict[str, str] = {}
        for entry in entries:
            path = _normal(entry.name)
            try:
                whiteout = parse_whiteout(path)
            except ValueError as error:
                raise unsafe(entry.name, str(error)) from error
            if whiteout:
                self._remove(whiteout.path, itself=not whiteout.opaque)
                continue
            self._remove(path, below=entry.kind is not Kind.DIRECTORY)
            self._forget(layer.pop(path, ""))
            if entry.kind is Kind.FILE and _is_wanted(path):
                layer[path] = self._text(entry, path)
            elif entry.kind is Kind.HARDLINK and _is_wanted(path):
                target = _normal(entry.target)
                linked = layer.get(target, self.files.get(target))
                if linked is not None:
                    layer[path] = linked
                    self._count(len(linked))
        for path, text in layer.items():
            self._below.update(_above(path))
            self.files[path] = text

    def _remove(self, path: str, *, itself: bool = True, below: bool = True) -> None:
        """Remove a file, and all files below if it is a directory."""
        gone = [path] if itself and path in self.files else []
        if below and self._below[path]:
            gone += [each for each in self.files if not path or each.startswith(f"{path}/")]
        for each in gone:
            self._forget(self.files.pop(each))
            self._below.subtract(_above(each))

    def _text(self, entry: Entry, path: str) -> str:
        if is_unread(path):
            return ""
        content = bytearray()
        for chunk in entry.chunks:
            content += chunk
            self._count(len(chunk))
        return content.decode("utf-8", "replace")

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > _MOST:
            raise JobError(
                Reason.INTERNAL,
                f"The SBOM can't be made, since the files that list packages have more than {_MOST} bytes.",
                hint="Build without SBOM.",
            )

    def _forget(self, text: str) -> None:
        self._size -= len(text)


def _is_wanted(path: str) -> bool:
    return reader_of(path) is not None or path in OS_RELEASE or is_unread(path)


def _normal(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in {"", "."})


def _above(path: str) -> Iterator[str]:
    """The directories above a path, the root included."""
    while path:
        path = path.rpartition("/")[0]
        yield path
