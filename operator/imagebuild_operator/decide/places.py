"""Which builds of a concurrency group were seen first: times of creation count in seconds, and pushes come faster."""

from collections.abc import Sequence
from itertools import count

from imagebuild_operator.decide.groups import Member


class Places:
    """Remembers the order in which builds of concurrency groups were seen, so that it never changes again.

    After a restart, those that have started come first: they were seen before.
    """

    def __init__(self) -> None:
        """Make one that has seen nothing."""
        self._places: dict[str, int] = {}
        self._numbers = count(1)

    def of(self, members: Sequence[Member]) -> dict[str, int]:
        """The place of each member by its uid, the first the lowest; forgets all others.

        Args:
            members: The builds of all groups.
        """
        known = {member.uid: self._places.get(member.uid, 0) for member in members}
        for member in sorted((m for m in members if not known[m.uid]), key=lambda member: not member.has_begun):
            known[member.uid] = next(self._numbers)
        self._places = known
        return known
