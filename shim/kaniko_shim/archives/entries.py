"""Entries of archives of every kind, and how they are refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

CHUNK = 256 * 1024
"""Bytes that are read and written at a time."""

_LONGEST_SHOWN = 200


class Kind(Enum):
    """The kinds of entries that a context can hold."""

    FILE = auto()
    DIRECTORY = auto()
    SYMLINK = auto()
    HARDLINK = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, as the archive has it: nothing about it was checked.

    Attributes:
        name: its path.
        kind: its kind.
        mode: its permission bits, with those of set-id and sticky.
        target: what a link leads to.
        chunks: the content of a file.
        is_roots: whether it belongs to root; True where the archive does not say.
        has_capabilities: whether it is a program with capabilities of its own (setcap).
        modified: when it was modified, in nanoseconds since 1970; None for now. Of a hard link, its target's counts.
    """

    name: str
    kind: Kind
    mode: int = 0o644
    target: str = ""
    chunks: Iterable[bytes] = ()
    modified: int | None = None
    is_roots: bool = True
    has_capabilities: bool = False


def unsafe(name: str, problem: str) -> JobError:
    """Refuses one entry, by its name."""
    shown = name if len(name) <= _LONGEST_SHOWN else name[:_LONGEST_SHOWN] + "…"
    return JobError(Reason.SOURCE_INVALID, f"The context's entry {shown!r} {problem}.")


def damaged(problem: str) -> JobError:
    """Refuses an archive that can't be read."""
    return JobError(Reason.SOURCE_INVALID, f"The context's archive is damaged: {problem}.")


def full_disk() -> JobError:
    """The failure of a write for which no space is left."""
    return JobError(Reason.DISK_FULL, "No space is left on the disk for the context.")
