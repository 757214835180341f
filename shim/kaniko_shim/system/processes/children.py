"""The processes that a job started: find, signal and reap them."""

import contextlib
import os
import signal
from collections.abc import Iterator

from kaniko_shim.system.processes.table import below, processes

_INIT = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
# Any but root's; user namespaces have it. A program that this one starts does not keep it.
_SAVED_GROUP = 65531


def harden() -> None:
    """Adopt orphans, and protect this process's memory from processes without CAP_SYS_PTRACE.

    The RUN steps of a build are root in the same container; without this, they could read the shim's memory.
    """
    import ctypes  # noqa: PLC0415 - the only user

    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if os.getresgid() == (0, 0, 0):
        # prlimit(2) asks for the same saved group: else a RUN step could set limits for this process, and so end it.
        # Without CAP_SETGID it stays as it is.
        with contextlib.suppress(PermissionError):
            os.setresgid(0, 0, _SAVED_GROUP)


def signal_all(number: signal.Signals) -> None:
    """Signal every process that this one is responsible for.

    For the first process of a container, that is every other process in it; otherwise, every descendant.
    """
    if os.getpid() == _INIT:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, number)
        return
    for each in below(os.getpid(), processes()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(each.pid, number)


def reap() -> Iterator[tuple[int, int]]:
    """Reap the children that have ended; yields their process ids and wait statuses."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status
