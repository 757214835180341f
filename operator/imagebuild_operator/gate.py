"""The gate that builds pass one by one where their number is limited.

It remembers whom it has let in until that shows in the build's status or its pod; everything else it asks the store.
A gate that has forgotten all, in an operator that has just started, decides the same again.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from imagebuild_operator.admission import BEGIN, NO_LIMITS, SUSPENDED, Turn, Waiting, admit, why
from imagebuild_operator.model import ImageBuild
from imagebuild_operator.settings import Limits
from imagebuild_operator.store import Key

#: How many of those that wait are told their place. Telling thousands would be a write to each whenever one begins.
TOLD: Final = 20
#: Seconds between two times that they are told.
TELL_EVERY: Final = timedelta(seconds=10)
#: Seconds for which nobody of a namespace is let in after its quota had no room.
HOLD: Final = timedelta(seconds=10)


class Gate:
    """Decides for all builds at once, when asked to; answers for one build at any time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._admitted: dict[Key, str] = {}
        self._turns: dict[Key, Turn] = {}
        self._held: dict[str, datetime] = {}
        self._told: datetime | None = None
        #: Whether something has happened since the last decision that only the gate knows of.
        self.is_stale = False

    @property
    def is_open(self) -> bool:
        """Whether there are no limits, and so nothing to decide."""
        return self._limits == NO_LIMITS

    def turn(self, build: ImageBuild) -> Turn | None:
        """Whether a build that has not begun may; None where that is still to be decided."""
        if build.is_suspended:
            return SUSPENDED
        key = (build.namespace, build.name)
        if self.is_open or self._admitted.get(key) == build.uid:
            return BEGIN
        return self._turns.get(key)

    def no_room(self, build: ImageBuild, now: datetime) -> None:
        """Take back that a build may begin: its namespace has no room, and others may have."""
        self._admitted.pop((build.namespace, build.name), None)
        self._held[build.namespace] = now + HOLD
        self.is_stale = True

    def decide(self, builds: Iterable[tuple[ImageBuild, bool]], now: datetime) -> tuple[list[Key], float | None]:
        """Decide who may begin.

        Args:
            builds: All that are not finished, each with whether it has begun.
            now: The current time.

        Returns:
            The builds to look at again, and the seconds until the next decision although nothing has happened.
        """
        self.is_stale = False
        self._held = {namespace: until for namespace, until in self._held.items() if until > now}
        running, waiting = self._sort(builds)
        let_in = admit((build for build in waiting if build.namespace not in self._held), running, self._limits)
        for build in let_in:
            self._admitted[build.namespace, build.name] = build.uid
            running[build.namespace] += 1
        left = [build for build in waiting if self._admitted.get((build.namespace, build.name)) != build.uid]
        changed = self._tell(left, running, now)
        keys = [(build.namespace, build.name) for build in let_in]
        waits = [(until - now).total_seconds() for until in self._held.values()]
        if self._told is not None and left:
            waits.append((self._told + TELL_EVERY - now).total_seconds())
        return [*keys, *changed], max(0.1, min(waits)) if waits else None

    def _sort(self, builds: Iterable[tuple[ImageBuild, bool]]) -> tuple[Counter[str], list[Waiting]]:
        running: Counter[str] = Counter()
        waiting: list[Waiting] = []
        admitted: dict[Key, str] = {}
        for build, has_begun in builds:
            key = (build.namespace, build.name)
            if has_begun:
                running[build.namespace] += 1
            elif build.is_suspended or build.is_cancelled or build.deleting:
                continue
            elif self._admitted.get(key) == build.uid:
                running[build.namespace] += 1
                admitted[key] = build.uid
            else:
                waiting.append(Waiting(build.namespace, build.name, build.uid, build.created, build.priority))
        self._admitted = admitted
        return running, waiting

    def _tell(self, left: list[Waiting], running: Counter[str], now: datetime) -> list[Key]:
        """Renew the turns of those that still wait; the keys of those whose turn has changed or is new."""
        is_time = self._told is None or now >= self._told + TELL_EVERY
        turns = {(build.namespace, build.name): self._turns.get((build.namespace, build.name)) for build in left}
        if is_time or None in turns.values():
            reasons = {build.namespace: why(build.namespace, running, self._limits, self._held) for build in left}
            for place, build in enumerate(admit(left, running, NO_LIMITS), start=1):
                key = (build.namespace, build.name)
                held = turns[key]
                if held is None or (is_time and (place <= TOLD or held.position is not None)):
                    turns[key] = replace(reasons[build.namespace], position=place if place <= TOLD else None)
            self._told = now if is_time else self._told
        changed = [key for key, turn in turns.items() if turn != self._turns.get(key)]
        self._turns = {key: turn for key, turn in turns.items() if turn is not None}
        return changed
