"""Entries of archives of every kind, and how they are refused."""

import stat
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
        mode: its permission bits.
        target: what a link leads to.
        chunks: the content of a file.
    """

    name: str
    kind: Kind
    mode: int = 0o644
    target: str = ""
    chunks: Iterable[bytes] = ()


def stable_mode(mode: int, *, directory: bool = False) -> int:
    """Permissions that do not depend on the umask of the machine that made the archive.

    The executor's layer cache compares modes. Set-id and sticky bits are dropped, and so is write permission for
    the group alone, which a umask of 002 leaves; write permission for everyone was set on purpose and stays. The
    owner can always read and write.
    """
    mode = stat.S_IMODE(mode) & 0o777
    if not mode & stat.S_IWOTH:
        mode &= ~stat.S_IWGRP
    return mode | (0o700 if directory else 0o600)


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
