"""The phases of a build."""

from enum import StrEnum


class Phase(StrEnum):
    """One word for people; programs read the conditions."""

    PENDING = "Pending"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    BUILDING = "Building"
    PUSHING = "Pushing"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @classmethod
    def _missing_(cls, value: object) -> "Phase | None":
        """A phase of a later version keeps its name, and is not final."""
        if not isinstance(value, str):
            return None
        made = str.__new__(cls, value)
        made._name_ = made._value_ = value
        return made

    @property
    def is_final(self) -> bool:
        """Whether a build in this phase has ended."""
        return self in {Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED}

    @property
    def is_known(self) -> bool:
        """Whether this version knows it."""
        return str(self) in _KNOWN


_KNOWN = frozenset(map(str, Phase))
