"""The keys of the work queue: each names one thing to do, and is in the queue at most once."""

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
    """Reconcile one ImageBuild."""

    namespace: str
    name: str

    @classmethod
    def of(cls, build: Named) -> "BuildKey":
        """The key of a build."""
        return cls(build.namespace, build.name)

    def __str__(self) -> str:
        """As in a log line: `team-a/app`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Sweep:
    """Delete the finished builds of a namespace that are past their TTL or over the history limits."""

    namespace: str


@dataclass(frozen=True, slots=True)
class DefaultsKey:
    """Update the status of the ImageBuildDefaults of a namespace; of the ClusterImageBuildDefaults if it is empty."""

    namespace: str


@dataclass(frozen=True, slots=True)
class Admit:
    """Decide which of the waiting builds may start."""


@dataclass(frozen=True, slots=True)
class Resync:
    """List everything again, for what the watches may have missed."""


Key = BuildKey | Sweep | DefaultsKey | Admit | Resync
