"""Namespaces and builds that the gate holds back, since the API server refused what they need.

A namespace that is held is probed with one build at a time, so that what it costs does not grow with the number of
builds that wait in it.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.queue import DEFAULTS_UNREADABLE, NO_QUOTA, Turn, Waiting
from imagebuild_operator.decide.refusal import backoff

#: The reasons that concern every build of a namespace.
OF_NAMESPACE: Final[Mapping[Reason, Turn]] = {
    Reason.QUOTA_EXCEEDED: NO_QUOTA,
    Reason.DEFAULTS_UNREADABLE: DEFAULTS_UNREADABLE,
}
#: Seconds from the end of a pod until the quota controller has surely counted it.
RECOUNT: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Hold:
    """A namespace that is held until a moment, and probed from then on; and what its builds are told."""

    until: datetime
    turn: Turn


class Holds:
    """Remembers refusals until nobody waits for what was refused."""

    def __init__(self) -> None:
        self._namespaces: dict[str, Hold] = {}
        #: Of builds, by uid.
        self._builds: dict[str, datetime] = {}
        #: How often each build was refused, by namespace and uid.
        self._refusals: dict[tuple[str, str], int] = {}

    def refused(self, build: ImageBuild, reason: Reason, now: datetime) -> None:
        """Hold a build, or its namespace, for longer each time that the build is refused."""
        place = (build.namespace, build.uid)
        count = self._refusals[place] = self._refusals.get(place, 0) + 1
        until = now + timedelta(seconds=backoff(build.uid, count))
        if reason in OF_NAMESPACE:
            self._namespaces[build.namespace] = Hold(until, OF_NAMESPACE[reason])
        else:
            self._builds[build.uid] = until

    def room(self, namespace: str, now: datetime) -> bool:
        """Probe a namespace soon, and from the first build again, since a pod of it has ended; whether it is held."""
        held = self._namespaces.get(namespace)
        if held is None:
            return False
        self._namespaces[namespace] = replace(held, until=min(held.until, now + RECOUNT))
        self._refusals = {place: count for place, count in self._refusals.items() if place[0] != namespace}
        return True

    def of_namespace(self, namespace: str) -> Turn | None:
        """What the builds of a namespace are told; None where it is not held."""
        held = self._namespaces.get(namespace)
        return held.turn if held else None

    def is_held(self, build: Waiting, now: datetime) -> bool:
        """Whether a build is held for its own sake."""
        return self._builds.get(build.uid, now) > now

    def ready(self, waiting: Iterable[Waiting], on_the_way: Mapping[str, int], now: datetime) -> list[Waiting]:
        """Those that may be admitted, as far as holds are concerned.

        Of a namespace that is held that is one: the one that was refused least often, so that one whose pod is too
        large for the quota does not keep the others from theirs.

        Args:
            waiting: All that wait.
            on_the_way: How many have been admitted and have not begun, by namespace.
            now: The current time.
        """
        free: list[Waiting] = []
        probes: dict[str, Waiting] = {}
        for build in waiting:
            held = self._namespaces.get(build.namespace)
            if self.is_held(build, now):
                continue
            if held is None:
                free.append(build)
            elif held.until <= now and not on_the_way.get(build.namespace):
                probes[build.namespace] = min(probes.get(build.namespace, build), build, key=self._order)
        return [*free, *probes.values()]

    def forget(self, left: AbstractSet[tuple[str, str]]) -> None:
        """Forget what concerns none of these builds, by namespace and uid: those that have not begun."""
        namespaces, uids = {namespace for namespace, _ in left}, {uid for _, uid in left}
        self._namespaces = {name: hold for name, hold in self._namespaces.items() if name in namespaces}
        self._builds = {uid: until for uid, until in self._builds.items() if uid in uids}
        self._refusals = {place: count for place, count in self._refusals.items() if place in left}

    def ends(self, now: datetime) -> list[float]:
        """Seconds until each hold ends."""
        moments = [*(hold.until for hold in self._namespaces.values()), *self._builds.values()]
        return [(moment - now).total_seconds() for moment in moments if moment > now]

    def _order(self, build: Waiting) -> tuple[int, int, datetime, str]:
        return self._refusals.get((build.namespace, build.uid), 0), -build.priority, build.created, build.uid
