"""What any kind of archive consists of."""

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

CHUNK = 256 * 1024
"""Bytes that are copied at a time."""

_LONGEST_SHOWN = 200


class Kind(Enum):
    """The kinds of entries that a context can have."""

    FILE = auto()
    DIRECTORY = auto()
    SYMLINK = auto()
    HARDLINK = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, before anything about it was checked.

    Attributes:
        name: its path as the archive has it.
        kind: what it is.
        mode: permission bits as the archive has them.
        target: where a link points to.
        chunks: a file's content.
    """

    name: str
    kind: Kind
    mode: int = 0o644
    target: str = ""
    chunks: Iterable[bytes] = ()


def stable_mode(mode: int, *, directory: bool = False) -> int:
    """Permissions that do not depend on whose machine the archive was made on.

    The executor's layer cache compares modes. Set-id and sticky bits go; the owner can always read and
    write; write permission for the group alone, which is what a umask of 002 leaves, goes. A mode that
    everybody may write to was set on purpose and stays.
    """
    mode = stat.S_IMODE(mode) & 0o777
    if not mode & stat.S_IWOTH:
        mode &= ~stat.S_IWGRP
    return mode | (0o700 if directory else 0o600)


def unsafe(name: str, problem: str) -> JobError:
    """The refusal of one entry, named."""
    shown = name if len(name) <= _LONGEST_SHOWN else name[:_LONGEST_SHOWN] + "…"
    return JobError(Reason.SOURCE_INVALID, f"The context's entry {shown!r} {problem}.")


def damaged(problem: str) -> JobError:
    """The refusal of an archive that can't be read."""
    return JobError(Reason.SOURCE_INVALID, f"The context's archive is damaged: {problem}.")
