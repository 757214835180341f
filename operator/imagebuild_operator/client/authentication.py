"""Whether the API server accepts the operator's credentials."""

import time
from collections.abc import Callable
from typing import Final

UNAUTHORIZED: Final = 401
#: A status from here on is a failure of the API server, or of a proxy in front of it, and says nothing of credentials.
SERVER_ERROR: Final = 500


class Authentication:
    """Notes for how long requests have been rejected with 401, and gives up when that is too long."""

    def __init__(
        self, limit: float, give_up: Callable[[float], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Note nothing yet.

        Args:
            limit: Seconds for which requests may be rejected.
            give_up: Called with the seconds for which they have been, once that is more.
            clock: Seconds that never go back.
        """
        self._limit = limit
        self._give_up = give_up
        self._clock = clock
        self._rejected: dict[str, float] = {}
        self.has_given_up = False

    def answered(self, status: int, stream: str = "") -> None:
        """Take note of an answer.

        Args:
            status: Its HTTP status.
            stream: What is asked again and again, such as one watch. Each is accepted or rejected for itself.
        """
        if status == UNAUTHORIZED:
            self._rejected.setdefault(stream, self._clock())
            seconds = self.rejected_for
            if seconds >= self._limit and not self.has_given_up:
                self.has_given_up = True
                self._give_up(seconds)
        elif status < SERVER_ERROR:
            self._rejected.pop(stream, None)

    @property
    def rejected_for(self) -> float:
        """Seconds for which requests have been rejected; 0 while they are accepted."""
        now = self._clock()
        return now - min(self._rejected.values(), default=now)

    @property
    def is_rejected(self) -> bool:
        """Whether the last request of some stream was rejected."""
        return bool(self._rejected)
