"""The files of a build context, without those that its `.dockerignore` leaves out."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imagebuild_dockerignore.errors import IgnoreFileError
from imagebuild_dockerignore.rules import Hits
from imagebuild_dockerignore.selection import select

from imagebuild.errors import ArchiveError


@dataclass(slots=True)
class Counts:
    """What a build context has, and what was left out of it.

    Attributes:
        files: Files and links in it.
        file_bytes: Bytes of its files.
        excluded_files: Files and links that .dockerignore leaves out, apart from those in excluded directories.
        excluded_directories: Directories that .dockerignore leaves out as a whole; they are not read.
    """

    files: int = 0
    file_bytes: int = 0
    excluded_files: int = 0
    excluded_directories: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A file, link or directory: its path, its path in the context, and what the system says of it."""

    path: str
    name: str
    status: os.stat_result


def context_files(root: Path, context_dir: str, dockerfile: str, counts: Counts) -> Iterator[Found]:
    """Yield what a build needs of a directory, in the same order each time; a directory comes before its entries.

    Links are not followed. The Dockerfile and the ignore file are there, whatever the latter says.

    Args:
        root: The directory.
        context_dir: Directory in it that is the build context; empty for the whole.
        dockerfile: Path of the Dockerfile in the context; empty if it is not there.
        counts: Counts what was yielded, and what was not.

    Raises:
        ArchiveError: the ignore file has a malformed line.
        OSError: a directory cannot be read.
    """
    try:
        selection = select(root, context_dir, dockerfile)
    except IgnoreFileError as error:
        raise ArchiveError(str(error), error.hint) from error
    above: Hits = ()
    # The directories that are being read: the innermost is the last.
    open_directories = [_entries(str(root), "", above)]
    while open_directories:
        try:
            found, above = next(open_directories[-1])
        except StopIteration:
            open_directories.pop()
            continue
        is_directory = stat.S_ISDIR(found.status.st_mode)
        skipped, hits = selection.skips(found.name, above, is_directory=is_directory)
        if skipped:
            counts.excluded_directories += is_directory
            counts.excluded_files += not is_directory
            continue
        yield found
        if is_directory:
            open_directories.append(_entries(found.path, f"{found.name}/", hits))
        else:
            counts.files += 1
            counts.file_bytes += found.status.st_size if stat.S_ISREG(found.status.st_mode) else 0


def _entries(directory: str, prefix: str, above: Hits) -> Iterator[tuple[Found, Hits]]:
    with os.scandir(directory) as listing:
        names = sorted(entry.name for entry in listing)
    for name in names:
        path = f"{directory}/{name}"
        yield Found(path, prefix + name, os.lstat(path)), above
