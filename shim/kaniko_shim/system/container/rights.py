"""The container that the shim runs in: its user, its capabilities and what it may write."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from kaniko_shim.system.container.mounts import is_read_only, mounts_below_links, read_mountinfo

# https://github.com/torvalds/linux/blob/master/include/uapi/linux/capability.h
_NUMBERS = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "FSETID": 4,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "SETFCAP": 31,
}
_STATUS = Path("/proc/self/status")
_EFFECTIVE = re.compile(r"^CapEff:\s*([0-9a-fA-F]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Container:
    """What a job finds around it.

    Attributes:
        user: the user's number.
        lacks: the capabilities that builds use and this container has not; empty if the kernel does not say.
        is_read_only: whether its root file system is read-only.
        in_the_way: what is mounted where most images have a link.
        unwritable: of the directories that the job writes, those that it can't.
    """

    user: int
    lacks: frozenset[str]
    is_read_only: bool
    in_the_way: tuple[str, ...]
    unwritable: tuple[Path, ...]


def read_container(written: tuple[Path, ...]) -> Container:
    """This container. `written` are the directories that the job writes; they need not exist yet."""
    try:
        status = _STATUS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        status = ""
    unwritable = tuple(path for path in written if not _can_write(path))
    mountinfo = read_mountinfo()
    return Container(
        os.geteuid(), lacking(status), is_read_only("/", mountinfo), mounts_below_links(mountinfo), unwritable
    )


def lacking(status: str) -> frozenset[str]:
    """The capabilities that a process lacks, of those that builds use.

    Args:
        status: what the kernel says in /proc/<pid>/status.
    """
    found = _EFFECTIVE.search(status)
    if found is None:
        return frozenset()
    effective = int(found[1], 16)
    return frozenset(name for name, number in _NUMBERS.items() if not effective >> number & 1)


def _can_write(path: Path) -> bool:
    while not path.exists() and path != path.parent:
        path = path.parent
    return os.access(path, os.W_OK | os.X_OK)
