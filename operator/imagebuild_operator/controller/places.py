"""Which builds of a concurrency group were seen first: times of creation count in seconds, and pushes come faster."""

from collections.abc import Iterable
from dataclasses import replace

from imagebuild_operator.decide.groups import Member


class Places:
    """Remembers the order in which builds of concurrency groups were seen, so that it never changes again.

    After a restart, those that have begun come first: they were seen before.
    """

    def __init__(self) -> None:
        """Make one that has seen nothing."""
        self._places: dict[str, int] = {}
        self._next = 1

    def of(self, members: Iterable[Member]) -> list[Member]:
        """The members with their places; forgets all others.

        Args:
            members: The builds of all groups.
        """
        known = list(members)
        places = {member.uid: self._places[member.uid] for member in known if member.uid in self._places}
        for member in sorted((m for m in known if m.uid not in places), key=lambda member: not member.has_begun):
            places[member.uid] = self._next
            self._next += 1
        self._places = places
        return [replace(member, place=places[member.uid]) for member in known]
