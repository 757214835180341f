"""What a run leaves to be checked: what was asked for, and what is there. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.history import LOST_SECONDS, Version


@dataclass(frozen=True)
class Expected:
    """How a build has to end, whatever happens to the parts around it.

    Attributes:
        ends: The reasons that are right for each phase that is; a success has the reason "".
        images: What it pushes to.
        expires: Whether it is deleted after its end.
        group: Its concurrency group, if no two builds of it may run at once.
    """

    ends: Mapping[str, frozenset[str]]
    images: tuple[str, ...] = ()
    expires: bool = False
    group: str = ""


@dataclass(frozen=True)
class Tag:
    """A tag of a registry.

    Attributes:
        digest: What it points to; None where there is no such tag.
        earlier: All that it has pointed to, this included.
    """

    digest: str | None = None
    earlier: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Use:
    """What the operator holds."""

    memory: int
    descriptors: int


@dataclass(frozen=True)
class Records:
    """All that the invariants are checked over.

    Attributes:
        expected: By namespace and name, how each build has to end.
        builds: Versions of the ImageBuilds.
        pods: Versions of the build pods.
        tags: By name, the tags that builds push to.
        events: The Events about ImageBuilds.
        texts: By where it was found, text that must hold no secret: logs, and Events and statuses as JSON.
        secrets: The values that must be nowhere.
        namespace_limits: How many builds may run at once, by namespace.
        cluster_limit: The same for all namespaces; 0 for no limit.
        lost_seconds: After so many, a pod is no longer counted that its node has not confirmed to have stopped.
        keeps_succeeded: Whether the operator keeps the pods of successful attempts.
        before: What the operator held before the first build.
        after: The same after the last.
    """

    expected: Mapping[str, Expected]
    builds: Sequence[Version]
    pods: Sequence[Version]
    tags: Mapping[str, Tag] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    namespace_limits: Mapping[str, int] = field(default_factory=dict)
    cluster_limit: int = 0
    lost_seconds: float = LOST_SECONDS
    keeps_succeeded: bool = True
    before: Use | None = None
    after: Use | None = None
