"""The phases of a job, and how long they take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Timings:
    """Durations in milliseconds; None if the part did not run."""

    fetch: int | None = None
    build: int | None = None
    push: int | None = None
    total: int | None = None


class Phases:
    """Tracks the phases of a job.

    Attributes:
        current: the phase, in words that complete "still …".
        timings: durations of the parts that have ended.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begin = clock()
        self._entered = self._begin
        self.current = "starting"
        self.timings = Timings()

    def enter(self, phase: str) -> None:
        """Begin a phase."""
        self.current = phase
        self._entered = self._clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the phase began."""
        return self._clock() - self._entered

    def milliseconds(self, since: float | None = None) -> int:
        """Milliseconds since a time of the same clock, or since the job began."""
        return round((self._clock() - (self._begin if since is None else since)) * 1000)

    def now(self) -> float:
        """The clock's time."""
        return self._clock()

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """Measure the fetch of the build context."""
        begin = self._clock()
        try:
            yield
        finally:
            self.timings.fetch = self.milliseconds(begin)

    @contextmanager
    def pushing(self) -> Iterator[None]:
        """Measure a push."""
        begin = self._clock()
        try:
            yield
        finally:
            self.timings.push = self.milliseconds(begin)
