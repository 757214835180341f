"""How long finished ImageBuilds and their pods are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.api.time import parse_time
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.settings import History, KeepPods


@dataclass(frozen=True, slots=True)
class Finished:
    """The record of a finished build, which may have to be deleted: short, since there may be tens of thousands."""

    namespace: str
    name: str
    uid: str
    version: int
    has_succeeded: bool
    completed: datetime
    #: Seconds after its end at which it is deleted, by its own spec; None if that sets none.
    ttl: int | None

    def may_expire(self, history: History, default_ttl: int | None) -> bool:
        """Whether a TTL or a limit of the namespace will ever delete it."""
        return (
            self.ttl is not None
            or default_ttl is not None
            or history.limit(has_succeeded=self.has_succeeded) is not None
        )


def finished(build: ImageBuild) -> Finished | None:
    """The record of a build; None if it is not finished, or is being deleted."""
    completed = parse_time(build.status.get("completionTime"))
    if not build.is_finished or build.deleting or completed is None:
        return None
    version, ttl = int(build.resource_version), build.spec.get("ttlSecondsAfterFinished")
    return Finished(build.namespace, build.name, build.uid, version, build.phase is Phase.SUCCEEDED, completed, ttl)


def expired(
    builds: Iterable[Finished], history: History, default_ttl: int | None, now: datetime
) -> tuple[list[Finished], float | None]:
    """The builds of one namespace that are due for deletion, and the seconds until the next is.

    The newest are kept, up to the limit for their outcome. Some of the builds are enough to decide safely: a build that
    has enough newer ones among them has enough among all.

    Args:
        builds: The finished builds of the namespace.
        history: How many are kept.
        default_ttl: The TTL of builds that set none.
        now: The current time.
    """
    gone: list[Finished] = []
    waits: list[float] = []
    kept = {True: 0, False: 0}
    mortal = (build for build in builds if build.may_expire(history, default_ttl))
    for build in sorted(mortal, key=lambda build: (build.completed, build.name), reverse=True):
        limit = history.limit(has_succeeded=build.has_succeeded)
        ttl = default_ttl if build.ttl is None else build.ttl
        left = None if ttl is None else (build.completed + timedelta(seconds=ttl) - now).total_seconds()
        if (left is not None and left <= 0) or (limit is not None and kept[build.has_succeeded] >= limit):
            gone.append(build)
            continue
        kept[build.has_succeeded] += 1
        if left is not None:
            waits.append(left)
    return gone, min(waits, default=None)


def is_leftover(pod: PodFacts, keep: KeepPods) -> bool:
    """Whether a pod whose result is recorded is to be deleted: it still runs, or its log need not be kept."""
    if pod.is_deleting:
        return False
    return not pod.is_over or not keep.keeps(has_succeeded=pod.push.has_succeeded)
