"""A queue of keys to reconcile: each key once, never twice at the same time, later again on request or error.

The rules of client-go's workqueue (https://pkg.go.dev/k8s.io/client-go/util/workqueue): a key added while it is
being handled is handled once more; a key whose handling failed comes back after a delay that doubles.
"""

import asyncio
import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Final, Generic, TypeVar

Key = TypeVar("Key")

_logger: Final = logging.getLogger(__name__)

#: Seconds until the first retry after an error, and at most.
FIRST_DELAY: Final = 0.5
MAX_DELAY: Final = 60.0


class RequeueError(Exception):
    """Raised by a handler: nothing is wrong with the program, and the key is to be handled again later."""

    def __init__(self, reason: str, seconds: float = 0.0) -> None:
        """Ask to be called again.

        Args:
            reason: Why, as a sentence for the log.
            seconds: Not before so many have passed.
        """
        super().__init__(reason)
        self.seconds = seconds


class Rank(IntEnum):
    """Which keys come first; among equals it is the one that was added first."""

    URGENT = 0
    NORMAL = 1
    #: Nobody waits for it.
    IDLE = 2


class WorkQueue(Generic[Key]):
    """Runs `handle(key)` for each key added; what it returns is the delay after which to handle the key again."""

    def __init__(
        self,
        handle: Callable[[Key], Awaitable[float | None]],
        workers: int,
        failed: Callable[[Key, str, Exception], None] = lambda key, what, error: _logger.error(
            "%s %s", key, what, exc_info=error
        ),
    ) -> None:
        """Set it up.

        Args:
            handle: Handles a key.
            workers: How many keys are handled at once.
            failed: Told of each key whose handling has failed: what of it, and why.
        """
        self._handle = handle
        self._failed = failed
        self._workers = workers
        self._ready: asyncio.PriorityQueue[tuple[Rank, int, Key]] = asyncio.PriorityQueue()
        self._numbers = itertools.count()
        self._queued: dict[Key, Rank] = {}
        self._active: dict[Key, float] = {}
        self._taken = 0.0
        self._again: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to handle keys; needs a running event loop."""
        self._tasks = [asyncio.create_task(self._work(), name=f"reconcile-{n}") for n in range(self._workers)]

    async def stop(self) -> None:
        """Stop handling keys. What was being handled is cancelled: whoever starts next looks at everything again."""
        for timer in self._timers.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def add(self, key: Key, delay: float = 0.0, rank: Rank = Rank.NORMAL) -> None:
        """Handle a key as soon as a worker is free, or after a delay in seconds."""
        if delay > 0:
            self._add_later(key, delay, rank)
        elif key in self._active:
            self._again.add(key)
        elif rank < self._queued.get(key, Rank.IDLE + 1):
            # What it was queued as before stays in the queue, and is passed over when its turn comes.
            self._drop_timer(key)
            if not self._queued:
                self._taken = asyncio.get_running_loop().time()
            self._queued[key] = rank
            self._ready.put_nowait((rank, next(self._numbers), key))

    @property
    def depth(self) -> int:
        """How many keys wait for a worker."""
        return len(self._queued)

    @property
    def longest(self) -> float:
        """Seconds for which the key that has been handled the longest has been; 0 where none is."""
        now = asyncio.get_running_loop().time()
        return now - min(self._active.values(), default=now)

    @property
    def stuck(self) -> float:
        """Seconds for which a key has been handled, or for which keys have waited while none was taken up."""
        waited = asyncio.get_running_loop().time() - self._taken if self._queued else 0.0
        return max(waited, self.longest)

    def _add_later(self, key: Key, delay: float, rank: Rank) -> None:
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= loop.time() + delay:
            return
        self._drop_timer(key)
        self._timers[key] = loop.call_later(delay, self._due, key, rank)

    def _due(self, key: Key, rank: Rank) -> None:
        self._timers.pop(key, None)
        self.add(key, rank=rank)

    def _drop_timer(self, key: Key) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    async def _work(self) -> None:
        while True:
            rank, _, key = await self._ready.get()
            if self._queued.get(key) is not rank:
                continue
            del self._queued[key]
            self._taken = self._active[key] = asyncio.get_running_loop().time()
            try:
                delay = await self._handle(key)
            except Exception as error:  # noqa: BLE001 - whatever it is, the key is tried again
                delay = self._backoff(key)
                if isinstance(error, RequeueError):
                    delay = max(delay, error.seconds)
                what = f"could not be reconciled (try {self._failures[key]}); again in {delay:.1f} s"
                self._failed(key, what, error)
            else:
                self._failures.pop(key, None)
            finally:
                del self._active[key]
            if key in self._again:
                self._again.discard(key)
                delay = 0.0
            if delay is not None:
                self.add(key, delay)

    def _backoff(self, key: Key) -> float:
        """Note one more failure of a key; the seconds until it is handled again."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        whole = min(MAX_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, 30))
        return whole * random.uniform(0.5, 1.0)  # noqa: S311
