"""What must be true whatever was done to the parts of a cluster. Pure: records in, violations out.

Each function here is one of the invariants.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Final

from chaos.history import FINAL, Build, Pod, Span, builds_of, pods_of, running_spans
from chaos.records import Expected, Records, Tag

#: Reasons of attempts that none of the faults explains: what a build did itself, or what nobody did.
UNTRUE: Final = frozenset({"OutOfMemory", "DeadlineExceeded", "WaitTimeout", "InvalidSpec", "PodRejected"})
#: How much more the operator may hold at the end than at the beginning: caches fill up, and it knows more builds.
MORE_MEMORY: Final = 64 << 20
MORE_DESCRIPTORS: Final = 16


@dataclass(frozen=True, order=True)
class Violation:
    """Something that must not be so."""

    invariant: str
    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.subject}: {self.message}"


@dataclass(frozen=True)
class Facts:
    """The records, with what several invariants read out of them."""

    records: Records
    builds: Sequence[Build]
    pods: Sequence[Pod]
    pods_of: dict[str, list[Pod]] = field(default_factory=dict)

    def expected(self, build: Build) -> Expected | None:
        return self.records.expected.get(build.name)


Invariant = Callable[[Facts], Iterator[tuple[str, str]]]


def violations(records: Records) -> list[Violation]:
    """Everything that does not hold."""
    by_owner: defaultdict[str, list[Pod]] = defaultdict(list)
    pods = pods_of(records.pods, records.lost_seconds)
    for pod in pods:
        by_owner[pod.owner].append(pod)
    facts = Facts(records, builds_of(records.builds), pods, dict(by_owner))
    return sorted(
        Violation(name, subject, message) for name, check in INVARIANTS.items() for subject, message in check(facts)
    )


def _every_build_ends(facts: Facts) -> Iterator[tuple[str, str]]:
    seen = {build.name for build in facts.builds}
    for name in facts.records.expected.keys() - seen:
        yield name, "the API server has never shown it"
    for build in facts.builds:
        expected = facts.expected(build)
        if not build.finals and not build.is_gone:
            yield build.name, f"it is {build.last.phase or 'without a phase'}: {build.last.status.get('message')}"
        elif not build.finals and expected:
            yield build.name, "it was deleted before it had ended"
        elif expected and expected.expires and not build.is_gone:
            yield build.name, "its TTL has passed, and it is still there"


def _outcome(facts: Facts) -> Iterator[tuple[str, str]]:
    for build in facts.builds:
        expected = facts.expected(build)
        if expected is None or not build.finals:
            continue
        status = build.finals[-1].status
        phase, reason = str(status.get("phase")), str(status.get("reason") or "")
        if reason not in expected.ends.get(phase, frozenset()):
            yield (
                build.name,
                f"it ended as {phase} {reason}, which is not its Dockerfile's outcome: {status['message']}",
            )


def _reasons_are_true(facts: Facts) -> Iterator[tuple[str, str]]:
    for build in facts.builds:
        status = build.last.status
        entries = [status, *(status.get("platforms") or ())]
        for attempt in (attempt for entry in entries for attempt in entry.get("attempts") or ()):
            if attempt.get("reason") in UNTRUE - _all_reasons(facts.expected(build)):
                yield (
                    build.name,
                    f"attempt {attempt.get('podName')} ended with {attempt['reason']}: {attempt.get('message')}",
                )


def _all_reasons(expected: Expected | None) -> frozenset[str]:
    return frozenset().union(*expected.ends.values()) if expected else frozenset()


def _digest_is_in_the_registry(facts: Facts) -> Iterator[tuple[str, str]]:
    for build in facts.builds:
        expected, status = facts.expected(build), build.last.status
        if status.get("phase") != "Succeeded" or expected is None:
            continue
        if expected.images and not status.get("digest"):
            yield build.name, "it succeeded without a digest"
        if not any(pod.pushed for pod in facts.pods_of.get(build.uid, ())):
            yield build.name, "it succeeded, and none of its pods did"
        # A container whose pod was deleted by force runs on where nobody sees it, and may push after the next attempt.
        is_forced = any(pod.forced for pod in facts.pods_of.get(build.uid, ()))
        for image in expected.images:
            tag = facts.records.tags.get(image, Tag())
            right = tag.earlier if is_forced else {tag.digest}
            if status.get("digest") and status["digest"] not in right:
                yield build.name, f"status.digest is {status['digest']}, and {image} is {tag.digest}"


def _failure_leaves_no_tag(facts: Facts) -> Iterator[tuple[str, str]]:
    for build in facts.builds:
        expected = facts.expected(build)
        if expected is None or not build.finals or build.finals[-1].phase == "Succeeded":
            continue
        for image in expected.images:
            if digest := facts.records.tags.get(image, Tag()).digest:
                yield build.name, f"it is {build.finals[-1].phase}, but {image} is {digest}"


def _one_live_pod(facts: Facts) -> Iterator[tuple[str, str]]:
    for uid, pods in facts.pods_of.items():
        parts: defaultdict[str, list[Pod]] = defaultdict(list)
        for pod in pods:
            parts[pod.part].append(pod)
        for each in parts.values():
            for one, other in combinations(each, 2):
                if one.alive.overlaps(other.alive):
                    yield uid, f"{one.name} and {other.name} were alive at the same time"


def _pushes(facts: Facts) -> Iterator[tuple[str, str]]:
    for build in facts.builds:
        expected = facts.expected(build)
        for image in expected.images if expected else ():
            pushed = facts.records.tags.get(image, Tag()).earlier
            attempts = len([pod for pod in facts.pods_of.get(build.uid, ()) if pod.part in {"", "index"}])
            if len(pushed) > attempts:
                yield build.name, f"{attempts} attempts pushed {len(pushed)} images as {image}"


def _attempts_agree(facts: Facts) -> Iterator[tuple[str, str]]:
    for build in facts.builds:
        status = build.last.status
        # A pod that came and went before any operator has recorded it is created once more, by the same name.
        created = list(dict.fromkeys(pod.name.partition("/")[2] for pod in facts.pods_of.get(build.uid, ())))
        for entry in (status, *(status.get("platforms") or ())):
            names = [attempt.get("podName") for attempt in entry.get("attempts") or ()]
            if len(set(names)) < len(names):
                yield build.name, f"status.attempts names a pod twice: {names}"
            if unknown := set(names) - set(created):
                yield build.name, f"status.attempts names pods that never were: {unknown}"
        if build.finals and not build.is_multi_platform and (status.get("attemptCount") or 0) != len(created):
            yield build.name, f"attemptCount is {status.get('attemptCount')}, and its pods were {created}"


def _events_agree(facts: Facts) -> Iterator[tuple[str, str]]:
    succeeded = Counter(
        event["involvedObject"].get("uid") for event in facts.records.events if event.get("reason") == "Succeeded"
    )
    for build in facts.builds:
        phases = {version.phase for version in build.versions}
        if succeeded[build.uid] and "Succeeded" not in phases:
            yield build.name, f"an Event says that it succeeded, and it is {build.last.phase}"
        if succeeded[build.uid] > 1:
            yield build.name, f"{succeeded[build.uid]} Events say that it succeeded"


def _final_status_stays(facts: Facts) -> Iterator[tuple[str, str]]:
    for build in facts.builds:
        for before, after in pairwise(build.versions):
            if before.phase in FINAL and before.status != after.status and after.change != "DELETED":
                fields = sorted(
                    name
                    for name in {*before.status, *after.status}
                    if before.status.get(name) != after.status.get(name) and name != "observedGeneration"
                )
                if fields and fields != ["conditions"]:
                    yield build.name, f"its final status has changed: {', '.join(fields)}"


def _limits_hold(facts: Facts) -> Iterator[tuple[str, str]]:
    spans = running_spans(facts.builds, facts.pods)
    by_namespace: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans.values():
        by_namespace[span.name.partition("/")[0]].append(span)
    for namespace, limit in facts.records.namespace_limits.items():
        if (most := _most(by_namespace[namespace]))[0] > limit:
            yield namespace, f"{most[0]} builds ran at once, and the limit is {limit}: {', '.join(most[1])}"
    limit = facts.records.cluster_limit
    if limit and (most := _most(spans.values()))[0] > limit:
        yield "the cluster", f"{most[0]} builds ran at once, and the limit is {limit}: {', '.join(most[1])}"


def _most(spans: Iterable[Span]) -> tuple[int, list[str]]:
    """How many of these were at the same time at most, and which."""
    moments = sorted((at, change, span.name) for span in spans for at, change in ((span.begin, 1), (span.end, -1)))
    running: list[str] = []
    most: list[str] = []
    for _, change, name in moments:
        if change > 0:
            running.append(name)
            most = max(most, list(running), key=len)
        else:
            running.remove(name)
    return len(most), most


def _groups_hold(facts: Facts) -> Iterator[tuple[str, str]]:
    spans = running_spans(facts.builds, facts.pods)
    groups: defaultdict[str, list[Span]] = defaultdict(list)
    for build in facts.builds:
        expected = facts.expected(build)
        if expected and expected.group and build.uid in spans:
            groups[f"{build.namespace}/{expected.group}"].append(spans[build.uid])
    for group, members in groups.items():
        if (most := _most(members))[0] > 1:
            yield group, f"{' and '.join(most[1])} ran at the same time"


def _no_secret_shows(facts: Facts) -> Iterator[tuple[str, str]]:
    for place, text in facts.records.texts.items():
        for number, value in enumerate(facts.records.secrets):
            if value in text:
                yield place, f"it holds the value of secret {number}"


def _nothing_is_left(facts: Facts) -> Iterator[tuple[str, str]]:
    gone = {build.uid for build in facts.builds if build.is_gone}
    known = {build.uid for build in facts.builds}
    for pod in facts.pods:
        if not pod.is_over:
            yield pod.name, "it still runs, or is stuck"
        elif not pod.is_gone and (pod.owner in gone or pod.owner not in known):
            yield pod.name, "its ImageBuild is gone, and the pod is still there"
        elif pod.pushed and not pod.is_gone and not facts.records.keeps_succeeded:
            yield pod.name, "it has succeeded, and is still there"


def _operator_is_as_it_was(facts: Facts) -> Iterator[tuple[str, str]]:
    before, after = facts.records.before, facts.records.after
    if before is None or after is None:
        return
    if after.memory > before.memory + MORE_MEMORY:
        yield "the operator", f"it holds {after.memory >> 20} MiB; at the beginning, it was {before.memory >> 20} MiB"
    if after.descriptors > before.descriptors + MORE_DESCRIPTORS:
        yield "the operator", f"it has {after.descriptors} open files; at the beginning, it was {before.descriptors}"


INVARIANTS: Final[dict[str, Invariant]] = {
    "every build ends": _every_build_ends,
    "outcome": _outcome,
    "reasons are true": _reasons_are_true,
    "digest": _digest_is_in_the_registry,
    "no tag of a failure": _failure_leaves_no_tag,
    "one live pod": _one_live_pod,
    "one push per attempt": _pushes,
    "attempts": _attempts_agree,
    "events": _events_agree,
    "final status": _final_status_stays,
    "limits": _limits_hold,
    "groups": _groups_hold,
    "secrets": _no_secret_shows,
    "nothing is left": _nothing_is_left,
    "the operator's memory and connections": _operator_is_as_it_was,
}
