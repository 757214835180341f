"""The signals that stop the job."""

import signal
from types import FrameType

from kaniko_shim.system.interruption import CancelledError

STOPPING = (signal.SIGTERM, signal.SIGINT)


def raise_on_stop() -> None:
    """From now on SIGTERM and SIGINT raise CancelledError in the main thread.

    The first process of a container ignores them otherwise.
    """
    for number in STOPPING:
        signal.signal(number, _stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


def ignore_stops() -> None:
    """The job has ended; only its report is left to write."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise CancelledError(number)
