"""What must separate the RUN steps of a build from the rest of its container and of its node."""

from enum import StrEnum


class Isolation(StrEnum):
    """A kind of separation."""

    #: The container is in a user namespace of its own: its root is nobody on the node.
    USERS = "users"
    #: Each RUN has process IDs of its own.
    PROCESSES = "processes"


def parse_isolation(text: str) -> frozenset[Isolation]:
    """Read REQUIRED_ISOLATION.

    Raises:
        ValueError: a word is none of the kinds.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if any(word not in set(Isolation) for word in words):
        raise ValueError(f"write {' or '.join(Isolation)}, or both with a comma between them")
    return frozenset(map(Isolation, words))
