"""The queue: which of the waiting builds may start. Pure."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.settings import Limits

NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A waiting build, with what decides its position."""

    namespace: str
    name: str
    uid: str
    created: datetime
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a build may start, or why it waits.

    Attributes:
        reason: Why it waits; None if it may start.
        message: The same as a sentence; it stays the same while only the position changes.
        position: Its position among all waiting builds, from 1; None for builds far back.
    """

    reason: Reason | None = None
    message: str = ""
    position: int | None = None


BEGIN: Final = Admission()
SUSPENDED: Final = Admission(Reason.SUSPENDED, "The build is suspended.")
NO_QUOTA: Final = Admission(
    Reason.QUOTA_EXCEEDED, "Waiting: a ResourceQuota of the namespace has no room for another build pod."
)
DEFAULTS_UNREADABLE: Final = Admission(
    Reason.DEFAULTS_UNREADABLE,
    "Waiting: the operator lacks permission to read the ImageBuildDefaults of the namespace or the cluster, which may "
    "limit the build.",
)
STEPPED_BACK: Final = Admission(
    Reason.POD_NOT_CREATED,
    "Waiting: the API server refused the build pod, and other builds go first until the next try.",
)


def invalid_defaults(problem: str) -> Admission:
    """The turn of a build whose defaults are invalid."""
    return Admission(Reason.DEFAULTS_INVALID, f"Waiting: {problem}")


def superseded(by: str) -> Admission:
    """The turn of a build that a newer one supersedes."""
    return Admission(Reason.SUPERSEDED, f"The newer build {by} of the same concurrency group superseded the build.")


def behind(other: str) -> Admission:
    """The turn of a build that waits for another of its group."""
    return Admission(Reason.GROUP_BUSY, f"Waiting for build {other} of the same concurrency group.")


def admit(waiting: Iterable[Waiting], running: Mapping[str, int], limits: Limits) -> list[Waiting]:
    """Choose the builds that may start now, in order.

    The highest priority comes first. Among equals it is the turn of the namespace that has the fewest builds running,
    so that one that has thousands waiting delays another by no more than what runs; of a namespace, the oldest.

    Args:
        waiting: The waiting builds.
        running: The number of running builds, by namespace.
        limits: The limits.
    """
    counts = Counter(running)
    total = counts.total()
    admitted: list[Waiting] = []
    for queues in _by_priority(waiting):
        admissions = [_admission(queue, counts) for queue in queues.values()]
        heapq.heapify(admissions)
        while admissions and (not limits.cluster or total < limits.cluster):
            *_, namespace = heapq.heappop(admissions)
            limit = limits.of(namespace)
            if limit and counts[namespace] >= limit:
                continue
            admitted.append(queues[namespace].pop())
            counts[namespace] += 1
            total += 1
            if queues[namespace]:
                heapq.heappush(admissions, _admission(queues[namespace], counts))
    return admitted


def why(namespace: str, running: Mapping[str, int], limits: Limits) -> Admission:
    """Why a build of a namespace was not admitted, as far as limits are concerned."""
    limit = limits.of(namespace)
    if limit and running.get(namespace, 0) >= limit:
        return Admission(Reason.NAMESPACE_LIMIT, f"Waiting: the namespace runs its limit of {limit} {_builds(limit)}.")
    return Admission(
        Reason.CLUSTER_LIMIT, f"Waiting: the cluster runs its limit of {limits.cluster} {_builds(limits.cluster)}."
    )


def _builds(count: int) -> str:
    return "build" if count == 1 else "builds"


def _by_priority(waiting: Iterable[Waiting]) -> list[dict[str, list[Waiting]]]:
    """For each priority, highest first: the builds of each namespace, oldest last."""
    queues: defaultdict[int, defaultdict[str, list[Waiting]]] = defaultdict(lambda: defaultdict(list))
    for build in sorted(waiting, key=lambda build: (build.created, build.uid), reverse=True):
        queues[build.priority][build.namespace].append(build)
    return [queues[priority] for priority in sorted(queues, reverse=True)]


def _admission(queue: list[Waiting], counts: Mapping[str, int]) -> tuple[int, datetime, str, str]:
    head = queue[-1]
    return counts[head.namespace], head.created, head.uid, head.namespace
