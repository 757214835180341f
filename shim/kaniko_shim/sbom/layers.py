"""The files of an image from which its packages are read, taken from its layers."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from kaniko_shim.archives.entries import Entry, Kind, unsafe
from kaniko_shim.archives.layer import reading_layer
from kaniko_shim.oci.blobs import blob_path
from kaniko_shim.oci.whiteouts import parse_whiteout
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sbom.databases import OS_RELEASE, is_unread, read_os_release, reader_of
from kaniko_shim.sbom.packages import Distribution, Package
from kaniko_shim.system.json_text import load_json

#: Bytes of one such file, and packages of all together: a small layer may unpack to gigabytes of them.
_LARGEST: Final = 32 * 1024 * 1024
_MOST: Final = 300_000
#: Such files in all layers together.
_MOST_FILES: Final = 1_000_000
#: Characters of a path; Linux opens no longer one.
_LONGEST_PATH: Final = 4096


Content = tuple[Package, ...] | Distribution | None
"""What a file says: packages, or the distribution; None for a database that can't be read here."""


def read_layers(layout: Path, manifest: bytes) -> dict[str, Content]:
    """What each file that lists packages says, by its path without a leading slash.

    Args:
        layout: a checked layout.
        manifest: of its image.

    Raises:
        JobError: Internal; a layer can't be read, or the files are too large.
    """
    image = _Image()
    for layer in load_json(manifest)["layers"]:
        path = blob_path(layout, layer["digest"])
        with reading_layer(path, "The SBOM can't be made", "Build without SBOM.") as entries:
            image.add(entries)
    return image.files()


_Directory = dict[str, "_Directory | Content"]
"""What a directory holds by name: directories, and what files say."""


class _Image:
    """The files of the layers so far."""

    def __init__(self) -> None:
        self._root: _Directory = {}
        self._size = self._entries = 0

    def files(self) -> dict[str, Content]:
        """What each file says, by path."""
        return dict(_files(self._root))

    def add(self, entries: Iterator[Entry]) -> None:
        """Put a layer on top."""
        # A layer hides nothing of its own.
        layer: dict[str, Content] = {}
        for entry in entries:
            path = _normal(entry.name)
            if len(path) > _LONGEST_PATH:
                continue
            try:
                whiteout = parse_whiteout(path)
            except ValueError as error:
                raise unsafe(entry.name, str(error)) from error
            if whiteout:
                self._remove(whiteout.path, itself=not whiteout.opaque)
                continue
            self._remove(path, below=entry.kind is not Kind.DIRECTORY)
            self._forget(layer.pop(path, None))
            if entry.kind not in {Kind.FILE, Kind.HARDLINK} or not _is_wanted(path):
                continue
            self._entries += 1
            if self._entries > _MOST_FILES:
                raise _too_much(f"there are more than {_MOST_FILES} files that list packages")
            if entry.kind is Kind.FILE:
                layer[path] = self._read(entry, path)
            else:
                linked = layer.get(target := _normal(entry.target), self._find(target))
                if isinstance(linked, tuple | Distribution):
                    layer[path] = linked
                    self._count(linked)
        for path, content in layer.items():
            self._put(path, content)

    def _find(self, path: str) -> "_Directory | Content":
        found: _Directory | Content = self._root
        for part in filter(None, path.split("/")):
            if not isinstance(found, dict):
                return None
            found = found.get(part)
        return found

    def _put(self, path: str, content: Content) -> None:
        *above, name = path.split("/")
        directory = self._root
        for part in above:
            below = directory.setdefault(part, {})
            if not isinstance(below, dict):
                # A file of a layer below, of which this layer makes a directory without saying so.
                self._forget(below)
                below = directory[part] = {}
            directory = below
        directory[name] = content

    def _remove(self, path: str, *, itself: bool = True, below: bool = True) -> None:
        """Remove a file, or a directory with all that it holds."""
        parent, name = self._find(path.rpartition("/")[0]), path.rpartition("/")[2]
        found = parent.get(name) if isinstance(parent, dict) and name else parent
        if isinstance(found, dict) and below:
            for _, content in _files(found):
                self._forget(content)
            found.clear()
        elif not isinstance(found, dict) and isinstance(parent, dict) and name in parent and itself:
            self._forget(found)
            del parent[name]

    def _read(self, entry: Entry, path: str) -> Content:
        if is_unread(path):
            return None
        content = bytearray()
        for chunk in entry.chunks:
            content += chunk
            if len(content) > _LARGEST:
                raise _too_much(f"{path} has more than {_LARGEST} bytes")
        text = content.decode("utf-8", "replace")
        reader = reader_of(path)
        # One more than there may be: a file may list millions.
        read = tuple(islice(reader(text), _MOST + 1)) if reader else read_os_release(text)
        self._count(read)
        return read

    def _count(self, content: Content) -> None:
        self._size += _packages(content)
        if self._size > _MOST:
            raise _too_much(f"the image has more than {_MOST} packages")

    def _forget(self, content: Content) -> None:
        self._size -= _packages(content)


def _packages(content: Content) -> int:
    return len(content) if isinstance(content, tuple) else 0


def _too_much(problem: str) -> JobError:
    return JobError(Reason.INTERNAL, f"The SBOM can't be made, since {problem}.", hint="Build without SBOM.")


def _files(directory: _Directory) -> Iterator[tuple[str, Content]]:
    """The path of each file below a directory, and what it says."""
    pending: list[tuple[str, _Directory]] = [("", directory)]
    while pending:
        prefix, present = pending.pop()
        for name, found in present.items():
            if isinstance(found, dict):
                pending.append((f"{prefix}{name}/", found))
            else:
                yield prefix + name, found


def _is_wanted(path: str) -> bool:
    return reader_of(path) is not None or path in OS_RELEASE or is_unread(path)


def _normal(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in {"", "."})
