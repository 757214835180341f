"""Concurrency groups: which build waits for which, and which is superseded. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


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

    @classmethod
    def _missing_(cls, _value: object) -> "Policy":
        """One of a later version supersedes nothing, and is refused when the build's turn comes (`api/parse.py`)."""
        return cls.PARALLEL

    @property
    def supersedes(self) -> bool:
        """Whether it supersedes older builds of its group."""
        return self in {Policy.LATEST, Policy.LATEST_CANCEL_RUNNING}


@dataclass(frozen=True, slots=True)
class Member:
    """A build of a group that is running, or waiting and allowed to start.

    Attributes:
        namespace: Its namespace; groups of different namespaces are different groups.
        group: Name of the group.
        name: Name of the build.
        uid: Its uid.
        created: When it was created.
        policy: Its policy.
        has_begun: Whether it has started.
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
    """The builds that wait or are superseded: by uid, the name of the other build."""

    blocked: dict[str, str] = field(default_factory=dict)
    superseded: dict[str, str] = field(default_factory=dict)


def group(members: Iterable[Member], places: Mapping[str, int] = MappingProxyType({})) -> Groups:
    """Find the builds that wait for another build of their group, and those that a newer one supersedes.

    Args:
        members: The builds of all groups.
        places: By uid, the place of each among all that were seen, the first the lowest. Times of creation count in
            seconds: of the same second, the one seen first is older, or where that is not known the one that started.
    """
    groups: defaultdict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in members:
        groups[member.namespace, member.group].append(member)
    found = Groups()
    for builds in groups.values():
        _group(sorted(builds, key=lambda m: (m.created, places.get(m.uid, 0), not m.has_begun, m.uid)), found)
    return found


def _group(members: list[Member], found: Groups) -> None:
    """Decide for one group, ordered by age, the oldest first."""
    last = max((number for number, member in enumerate(members) if member.policy.supersedes), default=0)
    newest = members[last]
    for member in members[:last]:
        if not member.has_begun or newest.policy is Policy.LATEST_CANCEL_RUNNING:
            found.superseded[member.uid] = newest.name
    running = next((m.name for m in members if m.has_begun), None)
    for member in members:
        if member.has_begun or member.uid in found.superseded:
            continue
        if running is not None and member.policy is not Policy.PARALLEL:
            found.blocked[member.uid] = running
        # The builds after it are younger and wait for it.
        running = running or member.name
