"""Where BuildKit could not run a while ago, so that builds with engine Auto do not try again. A restart forgets it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

#: Seconds for which a problem counts: nodes and policies change.
LIFETIME: Final = 3600.0
#: Places that are remembered. The oldest goes first.
MAX_PLACES: Final = 10_000


class KnownProblems:
    """The problem of each place: of a namespace, or of the nodes that a selector names."""

    def __init__(self, seconds: float = LIFETIME, most: int = MAX_PLACES) -> None:
        """Start empty.

        Args:
            seconds: How long a problem counts.
            most: How many are remembered.
        """
        self._lifetime = timedelta(seconds=seconds)
        self._most = most
        #: The problem, and when it was met, the oldest first.
        self._met: dict[str, tuple[str, datetime]] = {}

    @property
    def are_none(self) -> bool:
        """Whether none was ever met, so that nobody has to find out about places."""
        return not self._met

    def met(self, place: str, problem: str, now: datetime) -> None:
        """Remember a problem; one that is known stays as old as it is, so that it is tried again."""
        if not self.at([place], now):
            self._met.pop(place, None)
            self._met[place] = (problem, now)
        while len(self._met) > self._most:
            del self._met[next(iter(self._met))]

    def at(self, places: Iterable[str], now: datetime) -> str:
        """The problem that counts now at one of some places; empty if there is none."""
        for place in places:
            problem, when = self._met.get(place, ("", now))
            if problem and now - when < self._lifetime:
                return problem
        return ""
