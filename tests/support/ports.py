"""Ports for servers that cannot choose one themselves."""

import fcntl
import os
import socket
import tempfile
from itertools import chain
from pathlib import Path

#: Below the range from which Linux takes the ports of outgoing connections (32768 to 60999).
FIRST, LAST = 20_000, 31_999

#: Locks of the ports that this process has been given; they last as long as it does.
_held: list[int] = []


def free_port(address: str = "127.0.0.1") -> int:
    """A port that nobody listens at, and that no other call of any process is given while this process runs.

    A port found by binding to 0 and closing the socket may be taken by anyone before the server starts.
    """
    folder = Path(tempfile.gettempdir()) / f"imagebuild-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    start = FIRST + os.getpid() % (LAST - FIRST)
    for port in chain(range(start, LAST + 1), range(FIRST, start)):
        lock = os.open(folder / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _is_free(lock, address, port):
            _held.append(lock)
            return port
        os.close(lock)
    raise RuntimeError(f"no port from {FIRST} to {LAST} is free at {address}")


def _is_free(lock: int, address: str, port: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError:
        return False
    return True
