"""The signals that stop the job."""

import signal
from types import FrameType

from kaniko_shim.system.interruption import CancelledError

STOPPING = (signal.SIGTERM, signal.SIGINT)

_PERSISTENCE = 1.0
"""Seconds after which a heartbeat raises CancelledError again, where a library swallowed it."""

_received = list[int]()


def raise_on_stop() -> None:
    """From now on SIGTERM and SIGINT raise CancelledError in the main thread.

    The first process of a container ignores them otherwise.
    """
    _received.clear()
    for number in STOPPING:
        signal.signal(number, _stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


def ignore_stops() -> None:
    """The job has ended; only its report is left to write."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


def stop_received() -> int:
    """The signal that has told this process to stop; 0 if none has."""
    return _received[0] if _received else 0


def raise_if_stopped() -> None:
    """Raise what the signal's handler raised, in case that was swallowed.

    Raises:
        CancelledError: a signal has told this process to stop.
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
    """Let a heartbeat that is under way beat soon."""
    if signal.getitimer(signal.ITIMER_REAL)[0]:
        signal.setitimer(signal.ITIMER_REAL, _PERSISTENCE)
