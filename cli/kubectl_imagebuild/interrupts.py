"""Ctrl-C and SIGTERM."""

import asyncio
import signal
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from kubectl_imagebuild.outcome import LeftError

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Gives Ctrl-C and SIGTERM to a handler; a context manager.

    Signals that come before there is a handler wait for it, so that a build which is just being created is cancelled
    as well. A second one of these ends the task.
    """

    def __init__(self) -> None:
        """Prepare; no handler is installed yet."""
        self._early = 0
        self._handler: Callable[[], None] | None = None
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._arrived)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)
        if isinstance(error, asyncio.CancelledError):
            raise LeftError from error

    def handle(self, handler: Callable[[], None]) -> None:
        """Call the handler for each signal from now on, and once if there was one before."""
        self._handler = handler
        if self._early:
            handler()

    def _arrived(self) -> None:
        if self._handler is not None:
            self._handler()
            return
        self._early += 1
        if self._early > 1 and self._task is not None:
            self._task.cancel()
