"""Builds that belong together: which waits for which, and which has become needless. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Policy(StrEnum):
    """What a build does about the other builds of its group."""

    #: Nothing.
    PARALLEL = "Parallel"
    #: It waits for running and for older builds.
    SERIAL = "Serial"
    #: It waits for running builds and supersedes older waiting ones.
    LATEST = "Latest"
    #: It supersedes older running builds as well.
    LATEST_CANCEL_RUNNING = "LatestCancelRunning"

    @property
    def supersedes(self) -> bool:
        """Whether it supersedes older builds of its group."""
        return self in {Policy.LATEST, Policy.LATEST_CANCEL_RUNNING}


@dataclass(frozen=True, slots=True)
class Member:
    """A build of a group that is not finished, and may begin or has begun.

    Attributes:
        namespace: Its namespace, outside of which its group means nothing.
        group: The group's name.
        name: The build's name.
        uid: Decides between two that were created in the same second.
        created: When it was created.
        policy: What it does about the others.
        has_begun: Whether it has begun.
    """

    namespace: str
    group: str
    name: str
    uid: str
    created: datetime
    policy: Policy = Policy.PARALLEL
    has_begun: bool = False


@dataclass(frozen=True, slots=True)
class Groups:
    """What groups do to their members, by uid: the name of the build that each of them gives way to."""

    blocked: dict[str, str] = field(default_factory=dict)
    superseded: dict[str, str] = field(default_factory=dict)


def group(members: Iterable[Member]) -> Groups:
    """Find the builds that wait for another of their group, and those that a newer one replaces."""
    groups: defaultdict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in members:
        groups[member.namespace, member.group].append(member)
    found = Groups()
    for builds in groups.values():
        _group(sorted(builds, key=lambda member: (member.created, member.uid)), found)
    return found


def _group(members: list[Member], found: Groups) -> None:
    """Decide for one group, the oldest of which is first."""
    newest = next((m for m in reversed(members) if m.policy.supersedes), None)
    cancels_running = newest is not None and newest.policy is Policy.LATEST_CANCEL_RUNNING
    for member in members:
        if newest is None or member is newest or (member.has_begun and not cancels_running):
            continue
        if (member.created, member.uid) < (newest.created, newest.uid):
            found.superseded[member.uid] = newest.name
    running = next((m.name for m in members if m.has_begun), None)
    for member in members:
        if member.has_begun or member.uid in found.superseded:
            continue
        if running is not None and member.policy is not Policy.PARALLEL:
            found.blocked[member.uid] = running
        # Whoever comes after it is younger, and waits for it.
        running = running or member.name
