"""How often something that failed is tried again, and what is waited between."""

import time
from collections.abc import Callable

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

ATTEMPTS = 5
"""Attempts with nothing to show for."""

FIRST_PAUSE = 1.0
"""Seconds before the second attempt; each further pause is twice as long."""

LONGEST_PAUSE = 60.0
"""Seconds that a server may ask for with Retry-After."""


class Patience:
    """Counts attempts and waits between them."""

    def __init__(self, shown: str, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep) -> None:

        self._shown = shown
        self._say = say
        self._sleep = sleep
        self._attempts = 1

    def regain(self) -> None:
        """An attempt was worth it."""
        self._attempts = 1

    def lose(self, problem: str, asked: float = 0) -> None:
        """Wait before another attempt.

        Raises:
            JobError: SourceUnavailable; there were enough of them.
        """
        if self._attempts == ATTEMPTS:
            raise JobError(
                Reason.SOURCE_UNAVAILABLE,
                f"The context could not be fetched from {self._shown} in {ATTEMPTS} attempts: {problem}.",
            )
        pause = min(max(FIRST_PAUSE * 2 ** (self._attempts - 1), asked), LONGEST_PAUSE)
        self._attempts += 1
        self._say(f"fetching {self._shown} failed ({problem}); attempt {self._attempts} of {ATTEMPTS} in {pause:.0f} s")
        self._sleep(pause)
