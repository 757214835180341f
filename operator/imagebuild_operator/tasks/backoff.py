"""The backoff of every loop that retries: each delay twice the last, up to a maximum, spread by chance."""

import random
from dataclasses import dataclass
from typing import Final

#: Seconds until the first retry, and until each later one at most.
FIRST_DELAY: Final = 0.5
MAX_DELAY: Final = 60.0


@dataclass(slots=True)
class Backoff:
    """The delays between the retries of one thing.

    Attributes:
        longest: Seconds of the longest delay.
        failures: How many times in a row it has failed.
    """

    longest: float = MAX_DELAY
    failures: int = 0

    def next(self) -> float:
        """Count one more failure; the seconds until the retry."""
        self.failures += 1
        nominal = min(self.longest, FIRST_DELAY * 2.0 ** min(self.failures - 1, 30))
        # Spread, so that what failed together is not retried together.
        return nominal * random.uniform(0.5, 1.0)  # noqa: S311

    def reset(self) -> None:
        """Start over after a success."""
        self.failures = 0
