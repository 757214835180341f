"""Who asks for mounts: only a step that the executor has started may, and only for its own mounts."""

import os
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kaniko_shim.system.processes.table import read_process

_PROC = Path("/proc")
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a connection.

    Attributes:
        pid: its process ID.
        parents: its ancestors' process IDs, its parent first, up to process 1.
        words: its command line.
        uid: its user.
    """

    pid: int
    parents: tuple[int, ...]
    words: tuple[str, ...]
    uid: int = 0


def peer_of(connection: socket.socket) -> Peer:
    """The process that made a connection.

    Raises:
        OSError: it has ended.
    """
    pid, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return Peer(pid, tuple(_parents(pid)), _words(pid), uid)


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


def _parents(pid: int) -> Iterator[int]:
    while pid > 1:
        try:
            pid = read_process(pid).parent
        except OSError:
            return
        yield pid


def _words(pid: int) -> tuple[str, ...]:
    return tuple(os.fsdecode(word) for word in (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")[:-1])
