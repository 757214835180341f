"""How long finished ImageBuilds and their pods are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from imagebuild_operator.api.build import ImageBuild, Phase
from imagebuild_operator.api.time import parse_time
from imagebuild_operator.observe.pod import PodFacts
from imagebuild_operator.settings import History, KeepPods

#: Selects the finished builds.
FINISHED: Final = ",".join(f"status.phase!={phase}" for phase in ("", *(p for p in Phase if not p.is_final)))
#: Selects the builds that have a TTL.
EXPIRING: Final = "spec.ttlSecondsAfterFinished!="


def unlimited(history: History) -> str:
    """The field selector that excludes the finished phases without a history limit; empty if each has one.

    With a limit, only few builds are kept, so that watching them costs little; and their deletion has to be noticed.
    """
    phases = (phase for phase in Phase if phase.is_final)
    kept = (p for p in phases if history.limit(has_succeeded=p is Phase.SUCCEEDED) is None)
    return ",".join(f"status.phase!={phase}" for phase in kept)


@dataclass(frozen=True, slots=True)
class Finished:
    """The record of a finished build that may have to be deleted: short, since there may be thousands."""

    namespace: str
    name: str
    uid: str
    version: int
    has_succeeded: bool
    completed: datetime
    #: Seconds after its end at which it is deleted; None for never.
    ttl: int | None


def finished(build: ImageBuild, history: History, default_ttl: int | None = None) -> Finished | None:
    """The record of a build; None if it is not finished, or nothing will ever delete it.

    Args:
        build: The build, with its own spec.
        history: How many are kept.
        default_ttl: The TTL of builds that set none.
    """
    has_succeeded = build.phase is Phase.SUCCEEDED
    ttl = build.spec.get("ttlSecondsAfterFinished", default_ttl)
    completed = parse_time(build.status.get("completionTime"))
    if not build.is_finished or build.deleting or completed is None:
        return None
    if ttl is None and history.limit(has_succeeded=has_succeeded) is None:
        return None
    return Finished(build.namespace, build.name, build.uid, int(build.resource_version), has_succeeded, completed, ttl)


def expired(builds: Iterable[Finished], history: History, now: datetime) -> tuple[list[Finished], float | None]:
    """The builds of one namespace that are due for deletion, and the seconds until the next is.

    The newest are kept, up to the limit for their outcome. Some of the builds are enough to decide safely: a build that
    has enough newer ones among them has enough among all.
    """
    gone: list[Finished] = []
    waits: list[float] = []
    kept = {True: 0, False: 0}
    for build in sorted(builds, key=lambda build: (build.completed, build.name), reverse=True):
        limit = history.limit(has_succeeded=build.has_succeeded)
        left = None if build.ttl is None else (build.completed + timedelta(seconds=build.ttl) - now).total_seconds()
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
