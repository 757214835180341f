"""The builds that the list shows, and what has changed since a reader has last been told."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from imagebuild import Build, Changed, Listed, Removed

Key = tuple[str, str]

#: Deletions that are remembered for readers that come back.
MAX_GONE: Final = 2000


@dataclass(frozen=True, slots=True)
class Delta:
    """What a reader needs to be up to date.

    Attributes:
        number: Number of the last change in it.
        whole: Whether these are all builds, so that the reader forgets what it had.
        changed: The builds that are new to the reader.
        gone: The builds that were deleted.
    """

    number: int
    whole: bool
    changed: tuple[Build, ...]
    gone: tuple[Key, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return self.whole or bool(self.changed or self.gone)


class Store:
    """Holds the builds. Each change has a number, from 2; 1 is the beginning."""

    def __init__(self) -> None:
        self._builds: dict[Key, Build] = {}
        #: Number of the last change of each build; the latest one is last.
        self._changed: dict[Key, int] = {}
        self._gone: deque[tuple[int, Key]] = deque(maxlen=MAX_GONE)
        self._number = 1

    @property
    def builds(self) -> Mapping[Key, Build]:
        """All builds, by namespace and name."""
        return MappingProxyType(self._builds)

    def apply(self, change: Listed | Changed | Removed) -> None:
        """Take over a change."""
        if isinstance(change, Changed):
            self._set(change.build)
        elif isinstance(change, Removed):
            self._remove(_key(change.build))
        else:
            listed = {_key(build): build for build in change.builds}
            for key in self._builds.keys() - listed.keys():
                self._remove(key)
            for key, build in listed.items():
                if key not in self._builds or _version(self._builds[key]) != _version(build):
                    self._set(build)

    def since(self, number: int) -> Delta:
        """What has changed since a change; all builds for 0, and after too many deletions."""
        if number <= 0 or number > self._number or self._has_forgotten(number):
            return Delta(self._number, whole=True, changed=tuple(self._builds.values()))
        changed = []
        for key in reversed(self._changed):
            if self._changed[key] <= number:
                break
            changed.append(self._builds[key])
        gone = tuple(key for at, key in self._gone if at > number and key not in self._builds)
        return Delta(self._number, whole=False, changed=tuple(reversed(changed)), gone=gone)

    def _has_forgotten(self, number: int) -> bool:
        return len(self._gone) == MAX_GONE and self._gone[0][0] > number + 1

    def _set(self, build: Build) -> None:
        metadata = {key: value for key, value in build.document["metadata"].items() if key != "managedFields"}
        key = _key(build)
        self._number += 1
        self._builds[key] = Build({**build.document, "metadata": metadata})
        self._changed.pop(key, None)
        self._changed[key] = self._number

    def _remove(self, key: Key) -> None:
        if self._builds.pop(key, None) is not None:
            self._number += 1
            del self._changed[key]
            self._gone.append((self._number, key))


def _key(build: Build) -> Key:
    return build.namespace, build.name


def _version(build: Build) -> str:
    return str(build.document["metadata"].get("resourceVersion"))
