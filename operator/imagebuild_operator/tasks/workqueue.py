"""A queue of keys to reconcile: each key once, never twice at the same time, later again on request or error.

The rules of client-go's workqueue (https://pkg.go.dev/k8s.io/client-go/util/workqueue): a key added while it is
being handled is handled once more; a key whose handling failed comes back after a backoff.
"""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Final, Generic, TypeVar

from imagebuild_operator.tasks.backoff import Backoff
from imagebuild_operator.tasks.supervisor import Supervisor

Key = TypeVar("Key")

_logger: Final = logging.getLogger(__name__)

#: Seconds of a Retry-After that are obeyed at most: nothing that happens meanwhile gets the key handled earlier.
MAX_RETRY_AFTER: Final = 300.0
#: Seconds below which a key is added at once: uvloop makes no timer of half a millisecond or less.
SHORTEST_DELAY: Final = 0.001


class RequeueError(Exception):
    """Raised by a handler: nothing is wrong with the program, and the key is to be handled again later."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        """Ask to be called again.

        Args:
            reason: Why, as a phrase for the log.
            retry_after: Seconds for which the key must not be handled, whatever happens meanwhile.
        """
        super().__init__(reason)
        self.retry_after = min(retry_after, MAX_RETRY_AFTER)


class Rank(IntEnum):
    """Which keys come first; among equals it is the one that was added first."""

    URGENT = 0
    NORMAL = 1
    #: Nobody waits for it.
    IDLE = 2


#: Called with each key whose handling failed, the error, and the seconds until the retry.
Failed = Callable[[Key, Exception, float], None]


class WorkQueue(Generic[Key]):
    """Runs `handle(key)` for each key added; what it returns is the delay after which to handle the key again."""

    def __init__(
        self,
        handle: Callable[[Key], Awaitable[float | None]],
        workers: int,
        failed: Failed[Key] | None = None,
        rank: Callable[[Key], Rank] = lambda _: Rank.NORMAL,
    ) -> None:
        """Set it up.

        Args:
            handle: Handles a key.
            workers: How many keys are handled at once.
            failed: Called with each failure; by default it is logged.
            rank: Which of the keys that wait for a worker come first, unless the one who adds a key says so.
        """
        self._handle = handle
        self._failed: Failed[Key] = failed or _log_failure
        self._rank = rank
        self._workers = workers
        self._ready: asyncio.PriorityQueue[tuple[Rank, int, Key]] = asyncio.PriorityQueue()
        self._numbers = itertools.count()
        self._queued: dict[Key, Rank] = {}
        self._active: dict[Key, float] = {}
        self._taken = 0.0
        self._again: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._backoffs: dict[Key, Backoff] = {}
        #: The time before which a key must not be handled.
        self._not_before: dict[Key, float] = {}
        self._supervisor = Supervisor()

    def start(self) -> None:
        """Start to handle keys; needs a running event loop."""
        for number in range(self._workers):
            self._supervisor.start(f"work-queue-{number}", self._work)

    async def stop(self) -> None:
        """Stop handling keys. What was being handled is cancelled: the next start looks at everything again."""
        for timer in self._timers.values():
            timer.cancel()
        await self._supervisor.stop()

    def add(self, key: Key, delay: float = 0.0, rank: Rank | None = None) -> None:
        """Handle a key as soon as a worker is free, or after a delay in seconds, but never during a Retry-After."""
        delay = max(delay, self._not_before.get(key, 0.0) - asyncio.get_running_loop().time())
        if delay > SHORTEST_DELAY:
            self._add_later(key, delay, rank)
            return
        if key in self._active:
            self._again.add(key)
            return
        rank = self._rank(key) if rank is None else rank
        if rank < self._queued.get(key, Rank.IDLE + 1):
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
        """Age of the longest-running handler, in seconds; 0 if none runs."""
        now = asyncio.get_running_loop().time()
        return now - min(self._active.values(), default=now)

    @property
    def stuck(self) -> float:
        """Seconds since the longest-running handler started, or since keys wait while no worker takes one."""
        waited = asyncio.get_running_loop().time() - self._taken if self._queued else 0.0
        return max(waited, self.longest)

    def _add_later(self, key: Key, delay: float, rank: Rank | None) -> None:
        loop = asyncio.get_running_loop()
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= loop.time() + delay:
            return
        self._drop_timer(key)
        self._timers[key] = loop.call_later(delay, self._due, key, rank)

    def _due(self, key: Key, rank: Rank | None) -> None:
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
            except Exception as error:  # noqa: BLE001 - whatever it is, the key is handled again
                delay = self._fail(key, error)
            else:
                self._backoffs.pop(key, None)
                self._not_before.pop(key, None)
            finally:
                del self._active[key]
            if key in self._again:
                self._again.discard(key)
                delay = 0.0
            if delay is not None:
                self.add(key, delay)

    def _fail(self, key: Key, error: Exception) -> float:
        """Count one more failure of a key; the seconds until it is handled again."""
        delay = self._backoffs.setdefault(key, Backoff()).next()
        self._not_before.pop(key, None)
        if isinstance(error, RequeueError) and error.retry_after:
            delay = max(delay, error.retry_after)
            self._not_before[key] = asyncio.get_running_loop().time() + error.retry_after
        try:
            self._failed(key, error, delay)
        except Exception:
            # The key is handled again even if nobody hears of the failure.
            _logger.exception("The failure of %s could not be logged", key)
        return delay


def _log_failure(key: object, error: Exception, delay: float) -> None:
    _logger.error("Handling %s failed; retrying in %.1f s", key, delay, exc_info=error)
