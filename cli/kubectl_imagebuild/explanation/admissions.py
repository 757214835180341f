"""Whether a build would begin at once, from one look at the cluster, by the operator's own rules. Pure.

What only the running operator knows is not in it: builds that it holds back after the API server refused a pod.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imagebuild_operator.api.build import ImageBuild
from imagebuild_operator.decide.groups import Member, Policy, group
from imagebuild_operator.decide.queue import (
    BEGIN,
    NO_LIMITS,
    SUSPENDED,
    Admission,
    Waiting,
    admit,
    behind,
    invalid_defaults,
    superseded,
    why,
)
from imagebuild_operator.settings import Limits


@dataclass(frozen=True, slots=True)
class Queue:
    """The turn of a build.

    Attributes:
        admission: Whether it begins, or why it waits.
        supersedes: Names of the older builds of its concurrency group that it supersedes.
    """

    admission: Admission
    supersedes: tuple[str, ...] = ()


def queue(build: ImageBuild, others: Sequence[ImageBuild], limits: Limits, problem: str = "") -> Queue:
    """Decide about a build that has not started.

    Args:
        build: The build.
        others: The other builds that have not ended.
        limits: The limits of the operator and of the defaults.
        problem: Why no build of its namespace may start; empty if they may.
    """
    active = [each for each in (*others, build) if not _is_idle(each)]
    groups = group([_member(each, each.concurrency) for each in active if each.concurrency])
    supersedes = tuple(each.name for each in others if groups.superseded.get(each.uid) == build.name)
    return Queue(_admission(build, active, limits, problem, groups.blocked, groups.superseded), supersedes)


def _admission(
    build: ImageBuild,
    active: Sequence[ImageBuild],
    limits: Limits,
    problem: str,
    blocked: dict[str, str],
    replaced: dict[str, str],
) -> Admission:
    if build.uid in replaced:
        return superseded(replaced[build.uid])
    if build.is_suspended:
        return SUSPENDED
    if _is_idle(build):
        return BEGIN  # The decision about it does not depend on the queue.
    if problem:
        return invalid_defaults(problem)
    running = Counter(each.namespace for each in active if each.has_begun)
    waiting = [_waiting(each) for each in active if not each.has_begun and each.uid not in replaced]
    let_in = admit([each for each in waiting if each.uid not in blocked], running, limits)
    if any(each.uid == build.uid for each in let_in):
        return BEGIN
    running.update(each.namespace for each in let_in)
    left = [each for each in waiting if each not in let_in]
    place = next(place for place, each in enumerate(admit(left, running, NO_LIMITS), start=1) if each.uid == build.uid)
    admission = behind(blocked[build.uid]) if build.uid in blocked else why(build.namespace, running, limits)
    return Admission(admission.reason, admission.message, place)


def _is_idle(build: ImageBuild) -> bool:
    return build.is_finished or (not build.has_begun and (build.is_suspended or build.is_cancelled or build.deleting))


def _waiting(build: ImageBuild) -> Waiting:
    return Waiting(build.namespace, build.name, build.uid, build.created, build.priority)


def _member(build: ImageBuild, concurrency: Mapping[str, str]) -> Member:
    policy = Policy(concurrency["policy"])
    name = concurrency["group"]
    return Member(build.namespace, name, build.name, build.uid, build.created, policy, build.has_begun)
