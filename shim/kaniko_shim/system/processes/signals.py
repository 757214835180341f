"""The signals that stop the job."""

import signal
from types import FrameType

from kaniko_shim.system.processes.interruption import CancelledError

STOPPING = (signal.SIGTERM, signal.SIGINT)

_PERSISTENCE = 1.0
"""Seconds after which a heartbeat raises CancelledError again, in case a library swallowed it."""

_received = list[int]()


def raise_on_stop() -> None:
    """Make SIGTERM and SIGINT raise CancelledError in the main thread.

    Without a handler, the first process of a container ignores them.
    """
    _received.clear()
    for number in STOPPING:
        signal.signal(number, _stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


def ignore_stops() -> None:
    """Ignore SIGTERM and SIGINT, since the job has ended and only its report is left to write."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


def stop_received() -> int:
    """The signal that stopped this process; 0 if none did."""
    return _received[0] if _received else 0


def raise_if_stopped() -> None:
    """Raise again what the signal's handler raised, in case a library swallowed it.

    Raises:
        CancelledError: a signal stopped this process.
    """
    if _received:
        _hurry()
        raise CancelledError(_received[0])


def _stop(number: int, _frame: FrameType | None) -> None:
    if not _received:
        _received.append(number)
        _hurry()
        raise CancelledError(number)


def _hurry() -> None:
    """Make the current heartbeat beat soon."""
    if signal.getitimer(signal.ITIMER_REAL)[0]:
        signal.setitimer(signal.ITIMER_REAL, _PERSISTENCE)
