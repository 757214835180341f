"""The processes of the container, as /proc shows them."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_DEAD = frozenset({b"Z", b"X", b"x"})


@dataclass(frozen=True, slots=True)
class Process:
    """A process.

    Attributes:
        pid: its ID.
        parent: its parent's ID.
        uid: its user.
        lives: whether one of its threads has not ended.
    """

    pid: int
    parent: int
    uid: int
    lives: bool


def read_process(pid: int) -> Process:
    """One process (proc_pid_stat(5)).

    Raises:
        OSError: it is gone.
    """
    entry = _PROC / str(pid)
    # The name in parentheses may contain blanks and parentheses.
    fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
    return Process(pid, int(fields[1]), entry.stat().st_uid, fields[0] not in _DEAD or int(fields[17]) > 1)


def processes() -> dict[int, Process]:
    """All of them, by ID."""
    found = dict[int, Process]()
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                pid = int(entry.name)
                found[pid] = read_process(pid)
    return found


def below(ancestor: int, found: Mapping[int, Process]) -> Iterator[Process]:
    """The descendants of a process."""
    children = dict[int, list[Process]]()
    for each in found.values():
        children.setdefault(each.parent, []).append(each)
    level = children.get(ancestor, [])
    while level:
        yield from level
        level = [child for each in level for child in children.get(each.pid, ())]
