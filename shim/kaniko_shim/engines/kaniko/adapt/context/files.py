"""Digests of the context's files for the cache keys; each directory is read once."""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol


class Files(Protocol):
    """The files of a build context; paths are relative to its root."""

    def is_directory(self, path: str) -> bool:
        """Whether a path is a directory, and no link to one."""

    def names(self, directory: str) -> str:
        """A digest of the names below a directory; empty if there are none."""

    def content(self, path: str) -> str:
        """A digest of names, modes and contents of a file or a directory."""


class ContextFiles:
    """The files of a build context, which must not change meanwhile.

    Paths are relative to the context, `.` for all of it.
    """

    def __init__(self, context: Path) -> None:
        self._context = context
        self._names = dict[str, str]()
        self._contents = dict[str, str]()

    def is_directory(self, path: str) -> bool:
        """Whether a path is a directory, and no link to one."""
        place = self._context / path
        return place.is_dir() and not place.is_symlink()

    def names(self, directory: str) -> str:
        """A digest of the names below a directory; empty if there are none."""
        if directory not in self._names:
            names = [name for name, _ in self._walk(directory)]
            self._names[directory] = _digest_of(names) if names else ""
        return self._names[directory]

    def content(self, path: str) -> str:
        """A digest of names, modes and contents of a file, or of all that lies below a directory."""
        if path not in self._contents:
            self._contents[path] = self._read(path)
        return self._contents[path]

    def digest(self, path: Path) -> str:
        """What one file, link or directory is: its mode, and its content or target."""
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return ascii(path.readlink())
        if not stat.S_ISREG(mode):
            return str(mode)
        with path.open("rb") as file:
            return f"{mode} {hashlib.file_digest(file, 'sha256').hexdigest()}"

    def _read(self, path: str) -> str:
        if self.is_directory(path):
            return _digest_of(f"{name} {self.digest(each)}" for name, each in self._walk(path))
        place = self._context / path
        return self.digest(place) if place.is_file() else ""

    def _walk(self, directory: str) -> Iterator[tuple[str, Path]]:
        """All that lies below a directory, in a stable order."""
        for root, directories, files in os.walk(self._context / directory):
            directories.sort()
            place = os.path.relpath(root, self._context)
            prefix = "" if place == "." else f"{place}/"
            for name in sorted([*directories, *files]):
                yield ascii(prefix + name), Path(root, name)


def _digest_of(lines: Iterator[str] | Sequence[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
