"""The key of a build: its namespace and name."""

from dataclasses import dataclass
from typing import Protocol


class Named(Protocol):
    """Something in a namespace: an ImageBuild, or what stands for one."""

    @property
    def namespace(self) -> str:
        """Its namespace."""

    @property
    def name(self) -> str:
        """Its name in it."""


@dataclass(frozen=True, slots=True)
class BuildKey:
    """Names an ImageBuild; in the work queue: reconcile it."""

    namespace: str
    name: str

    @classmethod
    def of(cls, build: Named) -> "BuildKey":
        """The key of a build."""
        return cls(build.namespace, build.name)

    def __str__(self) -> str:
        """As in a log line: `team-a/app`."""
        return f"{self.namespace}/{self.name}"
