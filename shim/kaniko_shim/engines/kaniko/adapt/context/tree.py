"""The build context as COPY and ADD see it."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from kaniko_shim.archives.added import Added, Lost, added_as, lost_of
from kaniko_shim.engines.kaniko.adapt.copy.trees.tree import Kind

_MOST_LINKS = 255
_SET_ID = stat.S_ISUID | stat.S_ISGID


class DirectoryTree:
    """A context in a directory, which must not change meanwhile."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._children = dict[str, tuple[str, ...]]()
        self._added = dict[str, Added]()
        self._lost: dict[str, Lost] = {}
        self._set_id: tuple[str, ...] | None = None

    def kind(self, path: str) -> Kind | None:
        """What a path is itself, links not followed; None if there is nothing."""
        try:
            mode = (self._root / path).lstat().st_mode
        except (OSError, ValueError):
            return None
        if stat.S_ISREG(mode):
            return Kind.FILE
        if stat.S_ISDIR(mode):
            return Kind.DIRECTORY
        return Kind.LINK if stat.S_ISLNK(mode) else Kind.OTHER

    def resolve(self, path: str) -> str | None:
        """Where a path leads once all links are followed; absolute ones count from the context's root."""
        waiting = path.split("/")[::-1]
        place = list[str]()
        links = 0
        while waiting:
            part = waiting.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                del place[-1:]
                continue
            match self.kind("/".join([*place, part])):
                case None:
                    return None
                case Kind.LINK:
                    links += 1
                    if links > _MOST_LINKS:
                        return None
                    target = os.readlink(self._root.joinpath(*place, part))  # noqa: PTH115 - Path drops slashes
                    if target.startswith("/"):
                        place.clear()
                    waiting += target.split("/")[::-1]
                case _:
                    place.append(part)
        return "/".join(place) or "."

    def children(self, path: str) -> Sequence[str]:
        """The names in a directory, in the order of their bytes."""
        if path not in self._children:
            names = os.listdir(self._root / path)  # noqa: PTH208 - names only
            self._children[path] = tuple(sorted(names, key=os.fsencode))
        return self._children[path]

    def mode(self, path: str) -> int:
        """The permission bits of a path, with set-id and sticky bits."""
        return stat.S_IMODE((self._root / path).lstat().st_mode)

    def added(self, path: str) -> Added:
        """What ADD does with a file, links not followed."""
        if path not in self._added:
            self._added[path] = added_as(self._root / path)
        return self._added[path]

    def lost(self, path: str) -> Lost:
        """What the executor loses of an archive that ADD unpacks."""
        if path not in self._lost:
            self._lost[path] = lost_of(self._root / path)
        return self._lost[path]

    def directories_with_set_id(self) -> Sequence[str]:
        """All directories with a set-id bit, except the root."""
        if self._set_id is None:
            walk = os.walk(self._root)
            next(walk)
            found = (os.path.relpath(place, self._root) for place, _, _ in walk)
            self._set_id = tuple(path for path in found if self.mode(path) & _SET_ID)
        return self._set_id
