"""A sign of life while the shim itself is busy, and a time limit."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from kaniko_shim.system.processes.interruption import TooLateError
from kaniko_shim.system.processes.signals import raise_if_stopped


@contextmanager
def heartbeat(beat: Callable[[], None], seconds: float, limit: float = float("inf")) -> Iterator[None]:
    """Call `beat` at intervals; it must be entered in the main thread.

    Args:
        beat: writes a sign of life.
        seconds: the interval.
        limit: seconds after which TooLateError is raised; raised again at each further beat, in case a library
            swallowed it.
    """
    end = time.monotonic() + limit

    def arm() -> None:
        left = end - time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, min(seconds, left) if left > 0 else seconds)

    def on_alarm(_number: int, _frame: FrameType | None) -> None:
        late = time.monotonic() >= end
        arm()
        raise_if_stopped()
        if late:
            raise TooLateError
        beat()

    before = signal.signal(signal.SIGALRM, on_alarm)
    arm()
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        # Once more, since an alarm may have interrupted the line above.
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
