"""Being told to stop."""

import signal
from types import FrameType

from kaniko_shim.outcome.errors import CancelledError

_STOPPING = (signal.SIGTERM, signal.SIGINT)


def name_of(number: int) -> str:
    """A signal's name, such as SIGTERM."""
    return signal.Signals(number).name


def raise_when_told_to_stop() -> None:
    """From now on SIGTERM and SIGINT raise CancelledError in the main thread.

    The first process of a container ignores them otherwise.
    """
    for number in _STOPPING:
        signal.signal(number, _stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


def ignore_further_stops() -> None:
    """The job has ended; only its report is left to write."""
    for number in _STOPPING:
        signal.signal(number, signal.SIG_IGN)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise CancelledError(number, name_of(number))
