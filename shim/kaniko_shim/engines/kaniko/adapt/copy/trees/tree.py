"""What COPY and ADD need to know of a build context."""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from kaniko_shim.archives.added import Added, Lost


class Kind(Enum):
    """What a path is."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"
    OTHER = "other"


class ContextTree(Protocol):
    """A build context. Paths are relative to its root, `.` for the root, and have no `..`."""

    def kind(self, path: str) -> Kind | None:
        """What a path is itself, links not followed; None if there is nothing."""

    def resolve(self, path: str) -> str | None:
        """Where a path leads once all links are followed, none of them out of the context; None if nowhere."""

    def children(self, path: str) -> Sequence[str]:
        """The names in a directory, in the order of their bytes."""

    def mode(self, path: str) -> int:
        """The permission bits of a path, with set-id and sticky bits."""

    def added(self, path: str) -> Added:
        """What ADD does with a file, links not followed."""

    def lost(self, path: str) -> Lost:
        """What the executor loses of an archive that ADD unpacks."""

    def directories_with_set_id(self) -> Sequence[str]:
        """All directories with a set-id bit, except the root."""
