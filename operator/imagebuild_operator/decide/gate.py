"""The gate: which of the waiting builds start, where limits, concurrency groups or refused pods make them wait.

It remembers which builds it has admitted until their status or pod shows it; everything else comes from the cache.
After a restart it has forgotten everything, and decides the same again.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.build_key import BuildKey
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.decide.backoffs import Backoffs
from imagebuild_operator.decide.groups import Groups, Member, Policy, group
from imagebuild_operator.decide.places import Places
from imagebuild_operator.decide.queue import (
    BEGIN,
    NO_LIMITS,
    STEPPED_BACK,
    SUSPENDED,
    Admission,
    Waiting,
    admit,
    behind,
    invalid_defaults,
    superseded,
    why,
)
from imagebuild_operator.settings import Limits

#: How many waiting builds have a position in their status. With thousands, each start would cause a write to each.
MAX_POSITIONS: Final = 20
#: The interval in which positions are updated.
POSITION_INTERVAL: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of a decision.

    Attributes:
        due: The builds that may start, or are superseded.
        waiting: Waiting builds whose status does not say why they wait, or no longer.
        requeue_after: Seconds until the next decision if nothing happens before; None if there is nothing to decide.
    """

    due: list[BuildKey]
    waiting: list[BuildKey]
    requeue_after: float | None


class Gate:
    """Decides about all waiting builds at once, and remembers the answer for each."""

    def __init__(
        self,
        limits: Limits,
        defaults: Mapping[str, int] = MappingProxyType({}),
        problem: Callable[[str], str] = lambda _: "",
    ) -> None:
        """Make a gate.

        Args:
            limits: The limits in the operator's settings.
            defaults: The limits in ImageBuildDefaults, by namespace. The mapping changes with them.
            problem: Says why no build of a namespace may start: its defaults are invalid; empty if they are valid.
        """
        self._limits = replace(limits, defaults=defaults)
        self._problem = problem
        self._is_limited = limits != NO_LIMITS
        self._admitted: dict[BuildKey, str] = {}
        self._admissions: dict[BuildKey, Admission] = {}
        #: By the uid of a build that is superseded, the name of the one that does it.
        self.superseded: dict[str, str] = {}
        self._places = Places()
        self._backoffs = Backoffs()
        self._positions_at: datetime | None = None
        #: Whether a new decision is due because of something that only the gate knows.
        self.is_stale = False

    def concerns(self, namespace: str, spec: Mapping[str, Any]) -> bool:
        """Whether there is something to decide about a build.

        There is if limits are set, if it is in a concurrency group, or if its namespace is held.
        """
        # After a limit is removed, builds may still wait for a decision that was due under it.
        self._is_limited = self._is_limited or bool(self._limits.defaults)
        return self._is_limited or "concurrency" in spec or self._backoffs.of_namespace(namespace) is not None

    def admission(self, build: ImageBuild) -> Admission | None:
        """Whether a build that has not started may start, or why it waits; None before that is decided."""
        if build.uid in self.superseded:
            return superseded(self.superseded[build.uid])
        if build.is_suspended:
            return SUSPENDED
        if problem := self._problem(build.namespace):
            return invalid_defaults(problem)
        key = BuildKey.of(build)
        if not self.concerns(build.namespace, build.spec) or self._admitted.get(key) == build.uid:
            return BEGIN
        admission = self._admissions.get(key)
        self.is_stale = self.is_stale or (admission is None and build.started is None)
        return admission

    def refused(self, build: ImageBuild, reason: Reason, now: datetime) -> None:
        """Revoke the admission of a build, so that others can start: its pod was refused, or those of its namespace."""
        self._admitted.pop(BuildKey.of(build), None)
        self._backoffs.refused(build, reason, now)
        self.is_stale = True

    def probe_soon(self, namespace: str, now: datetime) -> bool:
        """Probe a namespace soon, for example because a pod in it has ended; whether it is held."""
        return self._backoffs.probe_soon(namespace, now)

    def decide(self, builds: Iterable[tuple[ImageBuild, bool]], now: datetime) -> Decision:
        """Decide which builds may start.

        Args:
            builds: All unfinished builds, each with whether it has started.
            now: The current time.
        """
        self.is_stale = False
        running, waiting, members = self._sort(builds)
        groups = group(members, self._places.of(members))
        waiting = [build for build in waiting if build.uid not in groups.superseded]
        on_the_way = Counter(key.namespace for key in self._admitted)
        ready = self._backoffs.ready((b for b in waiting if b.uid not in groups.blocked), on_the_way, now)
        let_in = admit(ready, running, self._limits)
        for build in let_in:
            self._admitted[BuildKey.of(build)] = build.uid
            running[build.namespace] += 1
        left = [build for build in waiting if self._admitted.get(BuildKey.of(build)) != build.uid]
        self._backoffs.forget(
            {(b.namespace, b.uid) for b in left} | {(k.namespace, u) for k, u in self._admitted.items()}
        )
        changed = self._set_admissions(left, running, groups, now)
        keys = [BuildKey.of(build) for build in let_in]
        keys += [BuildKey.of(m) for m in members if m.uid in groups.superseded.keys() - self.superseded.keys()]
        self.superseded = groups.superseded
        waits = self._backoffs.ends(now)
        if self._positions_at is not None and left:
            waits.append((self._positions_at + POSITION_INTERVAL - now).total_seconds())
        return Decision(keys, changed, max(0.1, min(waits)) if waits else None)

    def _sort(self, builds: Iterable[tuple[ImageBuild, bool]]) -> tuple[Counter[str], list[Waiting], list[Member]]:
        running: Counter[str] = Counter()
        waiting: list[Waiting] = []
        members: list[Member] = []
        admitted: dict[BuildKey, str] = {}
        for build, has_begun in builds:
            key = BuildKey.of(build)
            is_in = has_begun or self._admitted.get(key) == build.uid
            is_stopped = build.is_suspended or build.is_cancelled or build.deleting
            is_idle = is_stopped or bool(self._problem(build.namespace))
            if not self.concerns(build.namespace, build.spec) or (is_idle and not has_begun):
                continue
            if is_in:
                running[build.namespace] += 1
            else:
                waiting.append(Waiting(build.namespace, build.name, build.uid, build.created, build.priority))
            if is_in and not has_begun:
                admitted[key] = build.uid
            if build.concurrency is not None:
                members.append(_member(build, build.concurrency, has_begun=is_in))
        self._admitted = admitted
        return running, waiting, members

    def _set_admissions(
        self, left: list[Waiting], running: Counter[str], groups: Groups, now: datetime
    ) -> list[BuildKey]:
        """Update the turns of the builds that still wait; the keys of those whose turn has changed or is new."""
        is_time = self._positions_at is None or now >= self._positions_at + POSITION_INTERVAL
        admissions = {BuildKey.of(build): self._admissions.get(BuildKey.of(build)) for build in left}
        if is_time or None in admissions.values():
            reasons = {
                name: self._backoffs.of_namespace(name) or why(name, running, self._limits)
                for name in {build.namespace for build in left}
            }
            for place, build in enumerate(admit(left, running, NO_LIMITS), start=1):
                key = BuildKey.of(build)
                held = admissions[key]
                if held is None or (is_time and (place <= MAX_POSITIONS or held.position is not None)):
                    other = groups.blocked.get(build.uid)
                    admission = behind(other) if other else reasons[build.namespace]
                    admission = STEPPED_BACK if self._backoffs.is_held(build, now) else admission
                    admissions[key] = replace(admission, position=place if place <= MAX_POSITIONS else None)
            self._positions_at = now if is_time else self._positions_at
        changed = [key for key, admission in admissions.items() if admission != self._admissions.get(key)]
        self._admissions = {key: admission for key, admission in admissions.items() if admission is not None}
        return changed


def _member(build: ImageBuild, concurrency: Mapping[str, str], *, has_begun: bool) -> Member:
    group, policy = concurrency["group"], Policy(concurrency["policy"])
    return Member(build.namespace, group, build.name, build.uid, build.created, policy, has_begun)
