"""Ends what steps of a build leave running, as the end of a RUN does in Docker: every process, whatever its user.

A process that forks itself again and again escapes whoever looks at the processes one after the other. So all are
stopped at once first: the kernel's kill(-1) reaches each process of the container, children that are just being made
included (since Linux 4.19), and nothing that is stopped can fork.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from threading import RLock

from kaniko_shim.system.processes.children import signal_all
from kaniko_shim.system.processes.table import Process, below, processes

_INIT = 1
_DEADLINE = 30.0
_PAUSE = 0.005

# One sweep must not continue what another has stopped.
_LOCK = RLock()


class LeftoverError(Exception):
    """Processes of a step could not be ended."""


def end_others(kept: Iterable[int]) -> None:
    """End all processes of the container but this one and the kept ones with their ancestors.

    Raises:
        LeftoverError: some process can't be ended.
    """
    kept = tuple(kept)
    with _LOCK:
        _end_others(lambda found: _with_ancestors(kept, found))


def end_orphans(program: int) -> None:
    """End all that ended children of a program have left running, unless the program has a child that lives.

    Raises:
        LeftoverError: some process can't be ended.
    """

    def spared(found: Mapping[int, Process]) -> Iterable[int]:
        # What a child that lives has started on purpose can't be told from what an ended one has left.
        busy = any(each.lives and each.parent == program for each in found.values())
        return found if busy else _with_ancestors((program,), found)

    with _LOCK:
        found = processes()
        kept = set(spared(found))
        # Nothing is stopped for nothing.
        if any(each.lives and each.pid not in kept for each in _ours(found)):
            _end_others(spared)


def _end_others(spared: Callable[[Mapping[int, Process]], Iterable[int]]) -> None:
    deadline = time.monotonic() + _DEADLINE
    stopped = set[int]()
    try:
        while True:
            with suppress(PermissionError):
                signal_all(signal.SIGSTOP)
            found = processes()
            kept = {os.getpid(), _INIT, *spared(found)}
            stopped |= kept
            left = [each for each in _ours(found) if each.lives and each.pid not in kept]
            if not left:
                return
            if time.monotonic() > deadline:
                raise LeftoverError(f"{len(left)} processes that a RUN step has started can't be ended")
            _kill(left)
            time.sleep(_PAUSE)
    finally:
        for pid in stopped - {os.getpid(), _INIT}:
            with suppress(OSError):
                os.kill(pid, signal.SIGCONT)


def live_child(parent: int) -> int:
    """A child of a process that has not ended; 0 if there is none."""
    return next((each.pid for each in processes().values() if each.parent == parent and each.lives), 0)


def _kill(left: Iterable[Process]) -> None:
    others = set[int]()
    for each in left:
        try:
            os.kill(each.pid, signal.SIGKILL)
        except PermissionError:
            others.add(each.uid)
        except ProcessLookupError:
            continue
    for uid in others - {os.geteuid()}:
        _kill_as(uid)


def _kill_as(uid: int) -> None:
    """End all processes of a user: without CAP_KILL, only another of theirs may."""
    child = os.fork()
    if not child:
        with suppress(OSError):
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    with suppress(ChildProcessError):
        # The main thread may have reaped it.
        os.waitpid(child, 0)


def _with_ancestors(pids: Iterable[int], found: Mapping[int, Process]) -> set[int]:
    kept = set[int]()
    for each in pids:
        pid = each
        while pid in found and pid not in kept:
            kept.add(pid)
            pid = found[pid].parent
    return kept


def _ours(found: Mapping[int, Process]) -> Iterator[Process]:
    """All processes of the container; where this one is not its first, its descendants."""
    own = os.getpid()
    if own == _INIT:
        return (each for each in found.values() if each.pid != own)
    return below(own, found)
