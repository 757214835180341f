"""Background tasks that must not end: one that does is logged and restarted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from imagebuild_operator.tasks.backoff import Backoff

_logger: Final = logging.getLogger(__name__)

#: Seconds that a task has to run for its next end to count as the first.
STEADY: Final = 60.0


class Supervisor:
    """Runs background tasks, and restarts each that ends, after a backoff."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run a task forever; needs a running event loop.

        Args:
            name: The task's name in the log.
            run: Runs it once; should not return.
        """
        self._tasks.append(asyncio.create_task(_keep_running(name, run), name=name))

    async def stop(self) -> None:
        """Cancel all tasks, and wait until they have ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()


async def _keep_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    loop, backoff = asyncio.get_running_loop(), Backoff()
    while True:
        start = loop.time()
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the task has to go on
            problem: Exception | None = error
        else:
            problem = None
        if loop.time() - start >= STEADY:
            backoff.reset()
        delay = backoff.next()
        _logger.error("The background task %s ended; restarting in %.1f s", name, delay, exc_info=problem)
        await asyncio.sleep(delay)
