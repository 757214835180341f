"""Copies a directory of the builder as the context.

The executor keeps the owner that a file has in the context, follows the mount points of its container, and lets
RUN steps write to whatever is mounted. A copy that belongs to root gives the image that Docker would build, and
protects the user's own files.
"""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from imagebuild_dockerignore.rules import Hits
from imagebuild_dockerignore.selection import Selection

from kaniko_shim.archives.entries import CHUNK, Entry, Kind
from kaniko_shim.archives.tree import Tree
from kaniko_shim.dockerignore.find import select
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sources.source_request import SourceRequest

# The link to the directory in which Kubernetes keeps the files of a volume.
_VOLUME_DATA = "..data"
_MOST_NAMED = 5


def copy_directory(source: Path, tree: Tree, request: SourceRequest, warn: Callable[[str], None]) -> None:
    """Copy a directory, without what its context ignores, and without pipes and devices.

    As in Docker, a socket becomes an empty file. A Kubernetes volume, such as a ConfigMap's, is copied as the files
    that it shows, without its links.

    Raises:
        JobError: SourceNotFound, SourceInvalid, SourceTooLarge or DiskFull.
    """
    if not source.is_dir():
        problem = "is not a directory" if source.exists() else "does not exist"
        raise JobError(
            Reason.SOURCE_NOT_FOUND,
            f"The context's directory {source} {problem} in the builder.",
            hint=f"Mount the directory at {source}, or set SOURCE_GET_URL to file://{source} for an archive.",
        )
    selection = select(source, request.sub_path, request.dockerfile)
    walk = _Walk(volume=(source / _VOLUME_DATA).is_symlink(), selection=selection)
    for entry in walk.below(str(source), "", ()):
        tree.add(entry)
    if walk.special:
        more = ", …" if len(walk.special) > _MOST_NAMED else ""
        warn(
            "The build context is used without its pipes and devices, which the executor cannot copy: "
            f"{', '.join(walk.special[:_MOST_NAMED])}{more}. Exclude them in .dockerignore."
        )


class _Walk:
    """The entries of a directory.

    Attributes:
        special: the paths of pipes and devices, which were left out.
    """

    def __init__(self, *, volume: bool, selection: Selection) -> None:
        self.special = list[str]()
        self._volume = volume
        self._selection = selection
        self._names = dict[tuple[int, int], str]()

    def below(self, directory: str, prefix: str, above: Hits) -> Iterator[Entry]:
        """What is copied of a directory, in order, so that two copies of it are the same."""
        try:
            with os.scandir(directory) as found:
                items = sorted(found, key=lambda item: item.name)
        except OSError as error:
            raise _unreadable(directory, error) from error
        for item in items:
            if self._volume and not prefix and item.name.startswith(".."):
                continue
            try:
                status = item.stat(follow_symlinks=self._volume)
            except OSError as error:
                raise _unreadable(item.path, error) from error
            name = prefix + item.name
            is_directory = stat.S_ISDIR(status.st_mode)
            skipped, hits = self._selection.skips(name, above, is_directory=is_directory)
            if skipped:
                continue
            if is_directory:
                yield Entry(name, Kind.DIRECTORY, status.st_mode, modified=status.st_mtime_ns)
                yield from self.below(item.path, name + "/", hits)
            else:
                yield from self._leaf(item.path, name, status)

    def _leaf(self, path: str, name: str, status: os.stat_result) -> Iterator[Entry]:
        if stat.S_ISLNK(status.st_mode):
            yield Entry(name, Kind.SYMLINK, target=str(Path(path).readlink()), modified=status.st_mtime_ns)
        elif stat.S_ISSOCK(status.st_mode):
            yield Entry(name, Kind.FILE, status.st_mode, modified=status.st_mtime_ns)
        elif not stat.S_ISREG(status.st_mode):
            self.special.append(name)
        elif status.st_nlink > 1 and (first := self._names.setdefault((status.st_dev, status.st_ino), name)) != name:
            yield Entry(name, Kind.HARDLINK, target=first)
        else:
            yield Entry(name, Kind.FILE, status.st_mode, chunks=_read(path), modified=status.st_mtime_ns)


def _read(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - surrogates
            while chunk := stream.read(CHUNK):
                yield chunk
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> JobError:
    return JobError(Reason.SOURCE_INVALID, f"The context's {path} can't be read ({error.strerror}).")
