"""Bind mounts of the build context as hard links, which take no time however large the files are.

In BuildKit a bind mount is read-only unless it says `rw`. A step that writes to a linked file all the same has changed
the context for all later steps: that is noticed, and the build ends, where BuildKit's RUN would get an error.
"""

import os
import shutil
from pathlib import Path

from kaniko_shim.engines.kaniko.mounts.placing import MountError


class LinkedTree:
    """A file or directory of the context in another place, as hard links."""

    def __init__(self, source: Path, target: Path) -> None:
        """Make the links.

        Args:
            source: the file or directory.
            target: where nothing is yet.

        Raises:
            OSError: a link or directory cannot be made.
            shutil.Error: the same, of several.
        """
        self._target = target
        self._linked = list[str]()
        self._changed = dict[str, int]()
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, target, symlinks=True, copy_function=self._link)
        else:
            self._link(str(source), str(target))

    def seal(self) -> None:
        """The step begins: remember when each file was changed, which is also when it was linked."""
        self._changed = {path: _change_time(path) for path in self._linked}

    def check(self) -> None:
        """The step has ended.

        Raises:
            MountError: it has changed a file of the context.
        """
        for path, moment in self._changed.items():
            if _change_time(path) != moment:
                place = self._target
                raise MountError(
                    f"the RUN has changed or removed files in the bind mount at {place}, which is read-only in Docker: "
                    f"add rw to the mount, or copy the files first ({Path(path).name!r})"
                )

    def _link(self, source: str, target: str) -> str:
        try:
            os.link(source, target, follow_symlinks=False)
            self._linked.append(source)
        except OSError:
            # Another file system, such as a volume, or too many links.
            shutil.copy2(source, target, follow_symlinks=False)
        return target


def _change_time(path: str) -> int:
    try:
        return os.lstat(path).st_ctime_ns
    except FileNotFoundError:
        return 0
