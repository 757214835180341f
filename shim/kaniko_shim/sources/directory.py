"""Copies a directory of the builder as the context.

The executor keeps the owner that a file has in the context, follows the mount points of its container, and lets
RUN steps write to whatever is mounted. A copy that belongs to root gives the image that Docker would build, and
protects the user's own files.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from kaniko_shim.archives.entries import CHUNK, Entry, Kind
from kaniko_shim.archives.tree import Tree
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

# The link to the directory in which Kubernetes keeps the files of a volume.
_VOLUME_DATA = "..data"


def copy_directory(source: Path, tree: Tree) -> None:
    """Copy a directory, without sockets, pipes and devices.

    A Kubernetes volume, such as a ConfigMap's, is copied as the files that it shows, without its links.

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
    volume = (source / _VOLUME_DATA).is_symlink()
    for entry in _walk(str(source), "", volume=volume):
        tree.add(entry)


def _walk(directory: str, prefix: str, *, volume: bool) -> Iterator[Entry]:
    try:
        # In order, so that two copies of one directory are the same.
        with os.scandir(directory) as found:
            items = sorted(found, key=lambda item: item.name)
    except OSError as error:
        raise _unreadable(directory, error) from error
    for item in items:
        if volume and not prefix and item.name.startswith(".."):
            continue
        try:
            status = item.stat(follow_symlinks=volume)
        except OSError as error:
            raise _unreadable(item.path, error) from error
        name = prefix + item.name
        if stat.S_ISDIR(status.st_mode):
            yield Entry(name, Kind.DIRECTORY, status.st_mode)
            yield from _walk(item.path, name + "/", volume=volume)
        elif stat.S_ISLNK(status.st_mode):
            yield Entry(name, Kind.SYMLINK, target=str(Path(item.path).readlink()))
        elif stat.S_ISREG(status.st_mode):
            yield Entry(name, Kind.FILE, status.st_mode, chunks=_read(item.path))


def _read(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - surrogates
            while chunk := stream.read(CHUNK):
                yield chunk
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: OSError) -> JobError:
    return JobError(Reason.SOURCE_INVALID, f"The context's {path} can't be read ({error.strerror}).")
