"""Puts files and directories in the place of others for the time of a step, and brings back what was there."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

_ROOT = Path("/")
_FORBIDDEN = (Path("/kaniko"), Path("/proc"), Path("/sys"))
_DIRECTORY = 0o755


class MountError(Exception):
    """A mount cannot be prepared, or not be taken away."""


class Places:
    """The places that one step's mounts take, and how each is given back.

    Nothing else may change these places meanwhile but the step itself.
    """

    def __init__(self, spare: Path) -> None:
        """Args: `spare` is a directory for what is put aside."""
        self._spare = spare
        self._undo = list[Callable[[], None]]()
        self._at_begin = list[Callable[[], None]]()
        self._at_end = list[Callable[[], None]]()
        self._count = 0
        self._before = dict[Path, tuple[int, int]]()
        self._settled = dict[Path, int]()

    def take(self, place: str) -> Path:
        """Make room at an absolute path: what is there is put aside, and parents are made.

        Returns:
            The path without links, where nothing is now.

        Raises:
            MountError: the path may not be taken.
        """
        real = Path(os.path.realpath(place))
        if real == _ROOT or any(real.is_relative_to(each) for each in _FORBIDDEN):
            raise MountError(f"the target {place} is not possible: the builder needs it")
        self._make_parents(real.parent)
        self._keep_times(real.parent)
        if os.path.lexists(real):
            aside = self._next()
            try:
                real.rename(aside)
            except OSError as error:
                raise MountError(_why_not_aside(place, error)) from error
            self._undo.append(partial(_rename, aside, real))
        self._undo.append(partial(remove, real))
        return real

    def on_return(self, action: Callable[[], None]) -> None:
        """Do something before the place that was taken last is given back."""
        self._undo.append(action)

    def watch(self, begin: Callable[[], None], end: Callable[[], None]) -> None:
        """Do something when the step begins, with all places taken, and when it has ended: MountError is an answer."""
        self._at_begin.append(begin)
        self._at_end.append(end)

    def give_back(self) -> None:
        """Give every place back, the last one first.

        Raises:
            MountError: one or more could not be, or what was watched is not as it should be.
        """
        found: MountError | None = None
        for end in self._at_end:
            try:
                end()
            except MountError as error:
                found = found or error
        problems = list[str]()
        untouched = self._untouched()
        while self._undo:
            try:
                self._undo.pop()()
            except OSError as error:
                problems.append(f"{error.filename}: {error.strerror}")
        for directory in untouched:
            if directory.is_dir():
                os.utime(directory, ns=self._before[directory])
        if problems:
            raise MountError(f"a mount can't be taken away: {'; '.join(problems)}")
        if found:
            raise found

    def _next(self) -> Path:
        self._count += 1
        return self._spare / str(self._count)

    def _make_parents(self, path: Path) -> None:
        missing = list[Path]()
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        if missing:
            self._keep_times(path)
        for each in reversed(missing):
            try:
                each.mkdir()
                each.chmod(_DIRECTORY)
            except OSError as error:
                raise MountError(f"the directory {each} can't be made: {error.strerror}") from error
            self._undo.append(partial(_remove_empty, each))

    def _keep_times(self, directory: Path) -> None:
        if directory not in self._before:
            status = directory.stat()
            self._before[directory] = (status.st_atime_ns, status.st_mtime_ns)

    def settle(self) -> None:
        """The step begins: from now on, changes are its own."""
        for begin in self._at_begin:
            begin()
        self._settled = {directory: directory.stat().st_mtime_ns for directory in self._before}

    def _untouched(self) -> list[Path]:
        """The directories that changed by the mounts alone, whose times are to be as before."""
        return [
            directory
            for directory, moment in self._settled.items()
            if directory.is_dir() and directory.stat().st_mtime_ns == moment
        ]


def remove(path: Path) -> None:
    """Remove a file, a link, or a directory with all that it holds; nothing if there is none."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()


def _rename(source: Path, target: Path) -> None:
    source.rename(target)


def _remove_empty(directory: Path) -> None:
    # What the step has written next to its mount stays.
    with contextlib.suppress(FileNotFoundError):
        try:
            directory.rmdir()
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise


def _why_not_aside(place: str, error: OSError) -> str:
    if error.errno in {errno.EBUSY, errno.EXDEV}:
        return f"the target {place} is a mount point of the container, or a part of the builder image"
    return f"what is at the target {place} can't be put aside: {error.strerror}"
