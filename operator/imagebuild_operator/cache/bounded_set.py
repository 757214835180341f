"""A set that remembers the newest of its members only."""

from collections import OrderedDict


class BoundedSet:
    """Texts, of which the oldest are forgotten."""

    def __init__(self, most: int) -> None:
        """Make an empty set of at most so many members."""
        self._most = most
        self._members: OrderedDict[str, None] = OrderedDict()

    def add(self, member: str) -> None:
        """Remember a member."""
        self._members[member] = None
        if len(self._members) > self._most:
            self._members.popitem(last=False)

    def __contains__(self, member: str) -> bool:
        return member in self._members
