"""Namespaces and builds that the gate holds back after the API server refused a request for them.

A held namespace is probed with one build at a time, so that the number of API calls does not grow with the number of
builds that wait in it.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.queue import DEFAULTS_UNREADABLE, NO_QUOTA, Admission, Waiting
from imagebuild_operator.decide.refusal import backoff

#: The reasons that hold for every build of a namespace, each with what its builds are told.
OF_NAMESPACE: Final[Mapping[Reason, Admission]] = {
    Reason.QUOTA_EXCEEDED: NO_QUOTA,
    Reason.DEFAULTS_UNREADABLE: DEFAULTS_UNREADABLE,
}
#: How long the quota controller may take to notice that a pod has ended.
RECOUNT: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class HeldNamespace:
    """A held namespace: when it may be probed, and what its builds are told."""

    until: datetime
    admission: Admission


class Backoffs:
    """Remembers refusals for as long as builds wait because of them."""

    def __init__(self) -> None:
        self._namespaces: dict[str, HeldNamespace] = {}
        #: Of builds, by uid.
        self._builds: dict[str, datetime] = {}
        #: How often each build was refused, by namespace and uid.
        self._refusals: dict[tuple[str, str], int] = {}

    def refused(self, build: ImageBuild, reason: Reason, now: datetime) -> None:
        """Hold a build or its namespace, for longer with each refusal of the build."""
        place = (build.namespace, build.uid)
        count = self._refusals[place] = self._refusals.get(place, 0) + 1
        until = now + timedelta(seconds=backoff(build.uid, count))
        if reason in OF_NAMESPACE:
            self._namespaces[build.namespace] = HeldNamespace(until, OF_NAMESPACE[reason])
        else:
            self._builds[build.uid] = until

    def probe_soon(self, namespace: str, now: datetime) -> bool:
        """Probe a namespace soon, starting with its first build again; whether it is held."""
        held = self._namespaces.get(namespace)
        if held is None:
            return False
        self._namespaces[namespace] = replace(held, until=min(held.until, now + RECOUNT))
        self._refusals = {place: count for place, count in self._refusals.items() if place[0] != namespace}
        return True

    def of_namespace(self, namespace: str) -> Admission | None:
        """What the builds of a namespace are told; None if it is not held."""
        held = self._namespaces.get(namespace)
        return held.admission if held else None

    def is_held(self, build: Waiting, now: datetime) -> bool:
        """Whether a build is held because of its own pod."""
        return self._builds.get(build.uid, now) > now

    def ready(self, waiting: Iterable[Waiting], on_the_way: Mapping[str, int], now: datetime) -> list[Waiting]:
        """The builds that are not held.

        From a held namespace, that is one at a time: the one that was refused least often, so that a pod that is too
        large for the quota does not block smaller ones.

        Args:
            waiting: All waiting builds.
            on_the_way: How many builds have been admitted but have not started, by namespace.
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
        """Forget everything that concerns none of the builds that have not started, given by namespace and uid."""
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
