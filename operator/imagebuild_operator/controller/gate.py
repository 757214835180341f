"""The gate that builds pass one by one where their number is limited, or where they wait for each other.

It remembers whom it has let in until that shows in the build's status or its pod; everything else it asks the store.
A gate that has forgotten all, in an operator that has just started, decides the same again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.cache.keys import BuildKey
from imagebuild_operator.controller.holds import Holds
from imagebuild_operator.decide.groups import Groups, Member, Policy, group
from imagebuild_operator.decide.queue import (
    BEGIN,
    NO_LIMITS,
    STEPPED_BACK,
    SUSPENDED,
    Turn,
    Waiting,
    admit,
    behind,
    superseded,
    why,
)
from imagebuild_operator.settings import Limits

#: How many of those that wait are told their place. Telling thousands would be a write to each whenever one begins.
TOLD: Final = 20
#: Seconds between two times that they are told.
TELL_EVERY: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Decision:
    """What has been decided.

    Attributes:
        due: The builds that may begin, or have been superseded.
        waiting: Those whose status no longer says why they wait.
        requeue_after: Seconds until the next decision if nothing happens before; None if there is nothing to decide.
    """

    due: list[BuildKey]
    waiting: list[BuildKey]
    requeue_after: float | None


class Gate:
    """Decides for all builds at once, when asked to; answers for one build at any time."""

    def __init__(self, limits: Limits, defaults: Mapping[str, int] = MappingProxyType({})) -> None:
        """Make a gate.

        Args:
            limits: What the operator's settings say.
            defaults: What the defaults of namespaces say, which changes with them.
        """
        self._limits = replace(limits, defaults=defaults)
        self._is_limited = limits != NO_LIMITS
        self._admitted: dict[BuildKey, str] = {}
        self._turns: dict[BuildKey, Turn] = {}
        self._superseded: dict[str, Turn] = {}
        self._holds = Holds()
        self._told: datetime | None = None
        #: Whether something has happened since the last decision that only the gate knows of.
        self.is_stale = False

    def concerns(self, namespace: str, spec: Mapping[str, Any]) -> bool:
        """Whether there is something to decide about a build.

        There is if limits are set, if it is in a concurrency group, or if its namespace is held.
        """
        # Once there was a limit, some may still wait for what was to be decided under it.
        self._is_limited = self._is_limited or bool(self._limits.defaults)
        return self._is_limited or "concurrency" in spec or self._holds.of_namespace(namespace) is not None

    def turn(self, build: ImageBuild) -> Turn | None:
        """Whether a build that has not begun may; None where that is still to be decided."""
        if build.uid in self._superseded:
            return self._superseded[build.uid]
        if build.is_suspended:
            return SUSPENDED
        key = BuildKey.of(build)
        if not self.concerns(build.namespace, build.spec) or self._admitted.get(key) == build.uid:
            return BEGIN
        turn = self._turns.get(key)
        self.is_stale = self.is_stale or (turn is None and build.started is None)
        return turn

    def refused(self, build: ImageBuild, reason: Reason, now: datetime) -> None:
        """Take back that a build may begin: it gets no pod, or nobody in its namespace does, and others may."""
        self._admitted.pop(BuildKey.of(build), None)
        self._holds.refused(build, reason, now)
        self.is_stale = True

    def room(self, namespace: str, now: datetime) -> bool:
        """A pod of a namespace has ended, so that its ResourceQuota may have room; whether anybody waits for that."""
        return self._holds.room(namespace, now)

    def decide(self, builds: Iterable[tuple[ImageBuild, bool]], now: datetime) -> Decision:
        """Decide who may begin.

        Args:
            builds: All that are not finished, each with whether it has begun.
            now: The current time.
        """
        self.is_stale = False
        running, waiting, members = self._sort(builds)
        groups = group(members)
        replaced = {uid: superseded(by) for uid, by in groups.superseded.items()}
        waiting = [build for build in waiting if build.uid not in replaced]
        on_the_way = Counter(key.namespace for key in self._admitted)
        ready = self._holds.ready((b for b in waiting if b.uid not in groups.blocked), on_the_way, now)
        let_in = admit(ready, running, self._limits)
        for build in let_in:
            self._admitted[BuildKey.of(build)] = build.uid
            running[build.namespace] += 1
        left = [build for build in waiting if self._admitted.get(BuildKey.of(build)) != build.uid]
        self._holds.forget({(b.namespace, b.uid) for b in left} | {(k.namespace, u) for k, u in self._admitted.items()})
        changed = self._tell(left, running, groups, now)
        keys = [BuildKey.of(build) for build in let_in]
        keys += [BuildKey.of(m) for m in members if m.uid in replaced and m.uid not in self._superseded]
        self._superseded = replaced
        waits = self._holds.ends(now)
        if self._told is not None and left:
            waits.append((self._told + TELL_EVERY - now).total_seconds())
        return Decision(keys, changed, max(0.1, min(waits)) if waits else None)

    def _sort(self, builds: Iterable[tuple[ImageBuild, bool]]) -> tuple[Counter[str], list[Waiting], list[Member]]:
        running: Counter[str] = Counter()
        waiting: list[Waiting] = []
        members: list[Member] = []
        admitted: dict[BuildKey, str] = {}
        for build, has_begun in builds:
            key = BuildKey.of(build)
            is_in = has_begun or self._admitted.get(key) == build.uid
            is_idle = build.is_suspended or build.is_cancelled or build.deleting
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

    def _tell(self, left: list[Waiting], running: Counter[str], groups: Groups, now: datetime) -> list[BuildKey]:
        """Renew the turns of those that still wait; the keys of those whose turn has changed or is new."""
        is_time = self._told is None or now >= self._told + TELL_EVERY
        turns = {BuildKey.of(build): self._turns.get(BuildKey.of(build)) for build in left}
        if is_time or None in turns.values():
            reasons = {
                name: self._holds.of_namespace(name) or why(name, running, self._limits)
                for name in {build.namespace for build in left}
            }
            for place, build in enumerate(admit(left, running, NO_LIMITS), start=1):
                key = BuildKey.of(build)
                held = turns[key]
                if held is None or (is_time and (place <= TOLD or held.position is not None)):
                    other = groups.blocked.get(build.uid)
                    turn = behind(other) if other else reasons[build.namespace]
                    turn = STEPPED_BACK if self._holds.is_held(build, now) else turn
                    turns[key] = replace(turn, position=place if place <= TOLD else None)
            self._told = now if is_time else self._told
        changed = [key for key, turn in turns.items() if turn != self._turns.get(key)]
        self._turns = {key: turn for key, turn in turns.items() if turn is not None}
        return changed


def _member(build: ImageBuild, concurrency: Mapping[str, str], *, has_begun: bool) -> Member:
    group, policy = concurrency["group"], Policy(concurrency["policy"])
    return Member(build.namespace, group, build.name, build.uid, build.created, policy, has_begun)
