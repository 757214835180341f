"""Reports the progress of a download."""

import time
from collections.abc import Callable

FIRST = 5.0
"""Seconds before the first line. Each pause is twice as long as the one before, up to `LONGEST`."""

LONGEST = 60.0

_MEGA = 1_000_000


class Meter:
    """Counts bytes, and writes a line of the log from time to time."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._began = self._last = clock()
        self._wait = FIRST
        self._size = self._told = 0

    def count(self, size: int, total: int | None = None) -> None:
        """Add bytes that have arrived; `total` is how many are expected, if that is known."""
        self._size += size
        now = self._clock()
        if now - self._last < self._wait:
            return
        whole = f" of {total / _MEGA:.1f}" if total else ""
        rate = (self._size - self._told) / (now - self._last) / _MEGA
        self._say(f"fetched {self._size / _MEGA:.1f}{whole} MB in {now - self._began:.0f} s ({rate:.1f} MB/s)")
        self._last, self._told = now, self._size
        self._wait = min(self._wait * 2, LONGEST)
