"""Retries of a fetch."""

import time
from collections.abc import Callable

from kaniko_shim.net.retry import ATTEMPTS, Retries
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason


class FetchRetries:
    """Retries the fetch of one source, and fails it with SourceUnavailable after the last attempt."""

    def __init__(self, shown: str, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep) -> None:
        """Args: `shown` is what messages call the source; holds no secret."""
        self._shown = shown
        self._retries = Retries(say, sleep)

    def reset(self) -> None:
        """Count from the first attempt again, since this one made progress."""
        self._retries.reset()

    def wait(self, problem: str, retry_after: float = 0) -> None:
        """Wait before the next attempt.

        Raises:
            JobError: SourceUnavailable; that was the last attempt.
        """
        if not self._retries.wait(f"fetching {self._shown} failed ({problem})", retry_after):
            raise JobError(
                Reason.SOURCE_UNAVAILABLE,
                f"The context could not be fetched from {self._shown} in {ATTEMPTS} attempts: {problem}.",
            )
