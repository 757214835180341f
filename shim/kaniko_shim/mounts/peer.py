"""Who asks for mounts: only a step that the executor has started may, and only for its own mounts."""

import os
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a connection.

    Attributes:
        pid: its process ID.
        parents: its ancestors' process IDs, its parent first, up to process 1.
        words: its command line.
    """

    pid: int
    parents: tuple[int, ...]
    words: tuple[str, ...]


def peer_of(connection: socket.socket) -> Peer:
    """The process that made a connection.

    Raises:
        OSError: it has ended.
    """
    pid, _, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return Peer(pid, tuple(_parents(pid)), _words(pid))


def is_step(peer: Peer, executor: int, program: str, words: Sequence[str], tini: str) -> bool:
    """Whether a process is the step with a certain command, started by the executor, by itself or through tini.

    Args:
        peer: the process.
        executor: the executor's process ID.
        program: the program of steps with mounts.
        words: its arguments.
        tini: the program through which the executor may start steps.
    """
    # A script: the interpreter and its flags come first.
    if peer.words[-len(words) - 1 :] != (program, *words):
        return False
    if peer.parents[:1] == (executor,):
        return True
    return len(peer.parents) > 1 and peer.parents[1] == executor and _words(peer.parents[0])[:1] == (tini,)


def end_others(kept: Iterable[int]) -> None:
    """End the processes of the container that earlier steps left running, as the end of a step does in Docker.

    Args:
        kept: the process IDs of a step and the executor; their ancestors are kept too.
    """
    spared = {os.getpid(), 1}
    for pid in kept:
        spared |= {pid, *_parents(pid)}
    owners = dict[int, list[int]]()
    for pid in _below(os.getpid()) - spared:
        with suppress(OSError):
            owners.setdefault((_PROC / str(pid)).stat().st_uid, []).append(pid)
    for owner, pids in owners.items():
        _kill(pids, owner)


def _kill(pids: Sequence[int], owner: int) -> None:
    if owner == os.geteuid():
        _kill_each(pids)
        return
    # Without CAP_KILL, only a process of the same user may.
    child = os.fork()
    if not child:
        with suppress(OSError):
            os.setresuid(owner, owner, owner)
            _kill_each(pids)
        os._exit(0)
    with suppress(ChildProcessError):
        # The main thread may have reaped it.
        os.waitpid(child, 0)


def _kill_each(pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, 9)


def _below(ancestor: int) -> set[int]:
    """The descendants of a process."""
    parents = dict[int, int]()
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parents[int(entry.name)] = _parent(int(entry.name))
    found = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found - {ancestor}


def _parents(pid: int) -> Iterator[int]:
    while pid > 1:
        try:
            pid = _parent(pid)
        except OSError:
            return
        yield pid


def _parent(pid: int) -> int:
    # The name in parentheses may contain blanks and parentheses.
    return int((_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[1])


def _words(pid: int) -> tuple[str, ...]:
    return tuple(os.fsdecode(word) for word in (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")[:-1])
