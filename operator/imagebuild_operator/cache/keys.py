"""The keys of the work queue: each names one thing to do, and is in the queue at most once."""

from dataclasses import dataclass

from imagebuild_operator.api.build_key import BuildKey


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


@dataclass(frozen=True, slots=True, order=True)
class TrackedKey:
    """Decide whether a TrackedImage needs a build."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class WatcherKey:
    """See that the watcher of a namespace is the right one, and read what it says."""

    namespace: str


Key = BuildKey | Sweep | DefaultsKey | TrackedKey | WatcherKey | Admit | Resync
