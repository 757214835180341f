"""How often something that failed is retried, and how long it waits before each retry."""

import time
from collections.abc import Callable

ATTEMPTS = 5
"""Attempts in a row that make no progress."""

FIRST_PAUSE = 1.0
"""Seconds before the second attempt; each further pause is twice as long."""

LONGEST_PAUSE = 60.0
"""Seconds that a server can ask for with Retry-After."""


class Retries:
    """Counts attempts, and waits between them."""

    def __init__(self, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep) -> None:
        """Args: `say` writes a line of the log, `sleep` waits for a number of seconds."""
        self._say = say
        self._sleep = sleep
        self._attempt = 1

    def reset(self) -> None:
        """Count from the first attempt again, since this one made progress."""
        self._attempt = 1

    def wait(self, problem: str, retry_after: float = 0) -> bool:
        """Announce the next attempt and wait before it.

        Args:
            problem: what went wrong; holds no secret.
            retry_after: seconds that the server asked for.

        Returns:
            Whether there is another attempt; False, without waiting, after the last one.
        """
        if self._attempt == ATTEMPTS:
            return False
        pause = min(max(FIRST_PAUSE * 2 ** (self._attempt - 1), retry_after), LONGEST_PAUSE)
        self._attempt += 1
        self._say(f"{problem.rstrip('.')}; attempt {self._attempt} of {ATTEMPTS} in {pause:.0f} s")
        self._sleep(pause)
        return True
