"""Wakes those who wait for a change."""

import asyncio
import contextlib


class ChangeSignal:
    """Counts changes; a reader waits until there are more than it has seen."""

    def __init__(self) -> None:
        self.count = 0
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wake all who wait."""
        self.count += 1
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, seen: int, seconds: float) -> int:
        """Wait until there are more than `seen` changes, or some seconds have passed; their number."""
        if self.count == seen:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._event.wait(), seconds)
        return self.count
