"""Writes the entries of an archive below one directory, and nowhere else."""

import errno
import os
import shutil
import stat
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from kaniko_shim.archives.entries import Entry, Kind, full_disk, unsafe
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


# The executor names files by their whole path, which the kernel limits to 4096 bytes.
_LONGEST_PATH = 4000
# Each level of the present branch keeps a descriptor open, and a stack frame in what walks through a tree.
_DEEPEST = 256


def parts_of(name: str) -> tuple[str, ...]:
    """The components of an entry's path.

    Raises:
        JobError: SourceInvalid; the path is absolute, leads out with .., is too long or too deep, or holds a NUL.
    """
    if len(name) > _LONGEST_PATH:
        raise unsafe(name, f"has a path of more than {_LONGEST_PATH} characters")
    if name.startswith("/"):
        raise unsafe(name, "has an absolute path; make the archive from inside the directory")
    parts = tuple(part for part in name.split("/") if part not in {"", "."})
    if ".." in parts:
        raise unsafe(name, "climbs out of the context with ..")
    if "\0" in name:
        raise unsafe(name, "has a NUL character in its path")
    if len(parts) > _DEEPEST + 1:
        raise unsafe(name, f"is more than {_DEEPEST} directories deep")
    return parts


class Tree:
    """A directory that is being filled.

    Each component of a path is opened separately and no link is followed, so that no entry can lead a later one
    out of the directory. An entry replaces an earlier one of the same name.

    Attributes:
        size: bytes written to files so far.
        entries: entries so far.
    """

    def __init__(self, root: Path, *, max_bytes: int, max_entries: int) -> None:
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._directories: dict[tuple[str, ...], int] = {}
        # Set at the end: each entry that is written to a directory changes its time.
        self._modified: dict[tuple[str, ...], int] = {}
        self.size = 0
        self.entries = 0
        root.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._root = os.open(root, _DIRECTORY)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._set_times()
        self._forget()
        os.close(self._root)

    def add(self, entry: Entry) -> None:
        """Write one entry.

        Raises:
            JobError: SourceInvalid for an unsafe entry, SourceTooLarge, DiskFull.
        """
        self._count()
        parts = parts_of(entry.name)
        try:
            if not parts:
                if entry.kind is not Kind.DIRECTORY:
                    raise unsafe(entry.name, "has no name")
            elif entry.kind is Kind.DIRECTORY:
                self._make_directory(parts, entry)
            else:
                self._make_leaf(parts, entry)
        except OSError as error:
            raise _explain(entry.name, error) from error

    def is_directory(self, parts: tuple[str, ...]) -> bool:
        """Whether a path is a directory of the tree."""
        try:
            with self._opened(parts[:-1], "/".join(parts), create=False) as parent:
                return not parts or _is_directory(parts[-1], parent)
        except FileNotFoundError:
            return False

    def remove(self, parts: tuple[str, ...], kept: Container[tuple[str, ...]] = ()) -> None:
        """Remove a file, or a directory and all that it holds; nothing happens if it does not exist.

        Args:
            parts: the components of its path.
            kept: paths that stay. The directories above a path that stays must be among them.
        """
        try:
            with self._opened(parts[:-1], "/".join(parts), create=False) as parent:
                is_directory = _is_directory(parts[-1], parent)
                if parts not in kept:
                    if is_directory:
                        self._forget(parts)
                        shutil.rmtree(parts[-1], dir_fd=parent)
                    else:
                        os.unlink(parts[-1], dir_fd=parent)
                    return
        except FileNotFoundError:
            return
        if is_directory:
            self.remove_children(parts, kept)

    def remove_children(self, parts: tuple[str, ...], kept: Container[tuple[str, ...]] = ()) -> None:
        """Remove what a directory holds, apart from the paths that stay; nothing happens if it does not exist."""
        try:
            with self._opened(parts, "/".join(parts), create=False) as directory:
                names = os.listdir(directory)  # noqa: PTH208 - of a descriptor
        except FileNotFoundError:
            return
        for name in names:
            self.remove((*parts, name), kept)

    def _count(self) -> None:
        self.entries += 1
        if self.entries > self._max_entries:
            raise JobError(
                Reason.SOURCE_TOO_LARGE, f"The context has more than {self._max_entries} files and directories."
            )

    def _make_directory(self, parts: tuple[str, ...], entry: Entry) -> None:
        name = parts[-1]
        mode = stat.S_IMODE(entry.mode)
        with self._opened(parts[:-1], entry.name) as parent:
            try:
                os.mkdir(name, mode, dir_fd=parent)
            except FileExistsError:
                if not _is_directory(name, parent):
                    os.unlink(name, dir_fd=parent)
                    os.mkdir(name, mode, dir_fd=parent)
        with self._opened(parts, entry.name) as directory:
            os.fchmod(directory, mode)
        if entry.modified is not None:
            self._modified[parts] = entry.modified

    def _set_times(self) -> None:
        for parts, modified in self._modified.items():
            # A later entry may have replaced it, or a directory above.
            with suppress(FileNotFoundError, JobError), self._opened(parts, "", create=False) as directory:
                os.utime(directory, ns=(modified, modified))

    def _make_leaf(self, parts: tuple[str, ...], entry: Entry) -> None:
        name = parts[-1]
        with self._opened(parts[:-1], entry.name) as parent:
            try:
                self._create(name, parent, entry)
            except FileExistsError:
                if _is_directory(name, parent):
                    raise unsafe(entry.name, "has the name of a directory before it") from None
                os.unlink(name, dir_fd=parent)
                self._create(name, parent, entry)

    def _create(self, name: str, parent: int, entry: Entry) -> None:
        if entry.kind is Kind.SYMLINK:
            if not entry.target or "\0" in entry.target:
                raise unsafe(entry.name, "is a link without a target")
            os.symlink(entry.target, name, dir_fd=parent)
            if entry.modified is not None:
                os.utime(name, ns=(entry.modified,) * 2, dir_fd=parent, follow_symlinks=False)
        elif entry.kind is Kind.HARDLINK:
            self._link(name, parent, entry)
        else:
            self._write(name, parent, entry)

    def _link(self, name: str, parent: int, entry: Entry) -> None:
        try:
            target = parts_of(entry.target)
        except JobError as error:
            raise unsafe(entry.name, f"is a hard link to {entry.target!r}, out of the context") from error
        if not target:
            raise unsafe(entry.name, "is a hard link without a target")
        try:
            with self._opened(target[:-1], entry.name, create=False) as source:
                os.link(target[-1], name, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
        except (FileNotFoundError, PermissionError) as error:
            raise unsafe(entry.name, f"is a hard link to {entry.target!r}, which is not a file before it") from error

    def _write(self, name: str, parent: int, entry: Entry) -> None:
        descriptor = os.open(name, _NEW_FILE, 0o600, dir_fd=parent)
        try:
            for chunk in entry.chunks:
                self.size += len(chunk)
                if self.size > self._max_bytes:
                    raise JobError(
                        Reason.SOURCE_TOO_LARGE, f"The context unpacks to more than {self._max_bytes} bytes."
                    )
                _write_all(descriptor, chunk)
            os.fchmod(descriptor, stat.S_IMODE(entry.mode))
            if entry.modified is not None:
                os.utime(descriptor, ns=(entry.modified,) * 2)
        finally:
            os.close(descriptor)

    @contextmanager
    def _opened(self, parts: tuple[str, ...], name: str, *, create: bool = True) -> Iterator[int]:
        """A descriptor of a directory below the root, made if needed; it is the caller's own."""
        descriptor = os.dup(self._open(parts, name, create=create))
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _open(self, parts: tuple[str, ...], name: str, *, create: bool) -> int:
        """A descriptor that stays open until a directory of another branch is opened."""
        if not parts:
            return self._root
        if (known := self._directories.get(parts)) is not None:
            return known
        # Entries come directory by directory: descriptors of the present branch are enough.
        for path in [path for path in self._directories if path != parts[: len(path)]]:
            os.close(self._directories.pop(path))
        above = self._root
        for depth in range(1, len(parts) + 1):
            path = parts[:depth]
            if path not in self._directories:
                self._directories[path] = _open_directory(path[-1], above, name, create=create)
            above = self._directories[path]
        return above

    def _forget(self, parts: tuple[str, ...] = ()) -> None:
        """Close what is kept open of a directory and of those below it."""
        for path in [path for path in self._directories if path[: len(parts)] == parts]:
            os.close(self._directories.pop(path))


def _open_directory(name: str, parent: int, entry: str, *, create: bool) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        if not create:
            raise
        os.mkdir(name, 0o755, dir_fd=parent)
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise unsafe(entry, f"lies below {name!r}, which is a link or a file") from error
        raise


def _is_directory(name: str, parent: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _explain(name: str, error: OSError) -> JobError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return full_disk()
    if error.errno in {errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL}:
        return unsafe(name, f"has a path that the file system does not accept ({error.strerror})")
    return unsafe(name, f"can't be written ({error.strerror})")
