"""What an API server has stored, version by version, as the invariants read it. Pure.

The versions come from its audit log or from a watch. In the log, a write has happened at some moment between the
request and the answer, so each version has two times; times from a watch are a count of its events.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Json = Mapping[str, Any]

ADDED: Final = "ADDED"
MODIFIED: Final = "MODIFIED"
DELETED: Final = "DELETED"
FINAL: Final = frozenset({"Succeeded", "Failed", "Cancelled"})
OVER: Final = frozenset({"Succeeded", "Failed"})
PLATFORM_LABEL: Final = "imagebuild.dev/platform"
#: Seconds after which the operator gives up a pod that its node has not confirmed to have stopped.
LOST_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Version:
    """One version of an object.

    Attributes:
        change: ADDED, MODIFIED or DELETED.
        body: The object.
        begin: The earliest moment at which it was stored.
        end: The latest.
        forced: Whether it is the deletion of a pod at once, while its containers may still run.
    """

    change: str
    body: Json
    begin: float
    end: float
    forced: bool = False

    @property
    def uid(self) -> str:
        return str(self.body["metadata"]["uid"])

    @property
    def name(self) -> str:
        return f"{self.body['metadata'].get('namespace', '')}/{self.body['metadata']['name']}"

    @property
    def revision(self) -> int:
        return int(self.body["metadata"].get("resourceVersion") or 0)

    @property
    def status(self) -> Json:
        return self.body.get("status") or {}

    @property
    def phase(self) -> str | None:
        return self.status.get("phase")


@dataclass(frozen=True)
class Span:
    """The time in which something was certainly so; `end` is infinite where it never ended."""

    name: str
    begin: float
    end: float

    def overlaps(self, other: "Span") -> bool:
        return self.begin < other.end and other.begin < self.end


@dataclass(frozen=True)
class Pod:
    """A build pod, from its first version to its last.

    Attributes:
        name: Namespace and name.
        owner: The uid of its ImageBuild.
        part: Its platform in a multi-platform build, `index` for the pod that pushes the index, else empty.
        alive: When it certainly was there, with containers that ran or would run.
        pushed: Whether its last container has ended with exit code 0.
        forced: Whether it was deleted while its containers could still run.
        is_over: Whether it is gone, or all its containers have ended.
        is_gone: Whether it was deleted.
    """

    name: str
    owner: str
    part: str
    alive: Span
    pushed: bool
    forced: bool
    is_over: bool
    is_gone: bool


@dataclass(frozen=True)
class Build:
    """An ImageBuild, from its first version to its last.

    Attributes:
        uid: Its uid.
        name: Namespace and name.
        versions: All its versions, the oldest first.
    """

    uid: str
    name: str
    versions: tuple[Version, ...]

    @property
    def last(self) -> Version:
        return self.versions[-1]

    @property
    def namespace(self) -> str:
        return self.name.partition("/")[0]

    @property
    def is_gone(self) -> bool:
        """Whether it was deleted."""
        return self.last.change == DELETED

    @property
    def finals(self) -> list[Version]:
        """Its versions with a final status."""
        return [version for version in self.versions if version.phase in FINAL]

    @property
    def is_multi_platform(self) -> bool:
        output = (self.last.body.get("spec") or {}).get("output") or {}
        return len(output.get("platforms") or ()) > 1


def builds_of(versions: Iterable[Version]) -> list[Build]:
    """The ImageBuilds of a history."""
    return [Build(uid, found[-1].name, tuple(found)) for uid, found in _by_uid(versions)]


def pods_of(versions: Iterable[Version], lost: float = LOST_SECONDS) -> list[Pod]:
    """The build pods of a history, in the order in which they were created.

    Args:
        versions: Of pods.
        lost: Seconds after which a pod is no longer counted that its node has not confirmed to have stopped.
    """
    pods = [pod for _, found in _by_uid(versions) if (pod := _pod(found, lost))]
    return sorted(pods, key=lambda pod: pod.alive.begin)


def running_spans(builds: Iterable[Build], pods: Iterable[Pod]) -> dict[str, Span]:
    """By uid, when each build certainly ran: from its first pod to its final status."""
    first: dict[str, float] = {}
    for pod in pods:
        first[pod.owner] = min(pod.alive.begin, first.get(pod.owner, float("inf")))
    spans: dict[str, Span] = {}
    for build in builds:
        if build.uid in first:
            ends = [version.begin for version in build.versions if version.phase in FINAL or version.change == DELETED]
            spans[build.uid] = Span(build.name, first[build.uid], min(ends, default=float("inf")))
    return spans


def _by_uid(versions: Iterable[Version]) -> Iterator[tuple[str, list[Version]]]:
    found: defaultdict[str, list[Version]] = defaultdict(list)
    for version in versions:
        found[version.uid].append(version)
    for uid, each in found.items():
        # A deletion in the log shows the last version once more.
        yield uid, sorted(each, key=lambda version: (version.change == DELETED, version.revision, version.begin))


def _pod(versions: list[Version], lost: float) -> Pod | None:
    last = versions[-1]
    owners = [each for each in last.body["metadata"].get("ownerReferences") or () if each["kind"] == "ImageBuild"]
    if not owners:
        return None
    ends = [at for version in versions if (at := _over(version, lost)) is not None]
    containers = [each["name"] for each in (last.body.get("spec") or {}).get("containers") or ()]
    labels = last.body["metadata"].get("labels") or {}
    return Pod(
        name=last.name,
        owner=owners[0]["uid"],
        part="index" if "index" in containers else labels.get(PLATFORM_LABEL, ""),
        alive=Span(last.name, versions[0].end, min(ends, default=float("inf"))),
        pushed=any(_has_pushed(version) for version in versions),
        forced=any(version.forced and not _is_over(version) for version in versions),
        is_over=last.change == DELETED or any(map(_is_over, versions)),
        is_gone=last.change == DELETED,
    )


def _over(version: Version, lost: float) -> float | None:
    """When a pod is no longer to be counted, as far as one version of it tells."""
    if version.change == DELETED or _is_over(version):
        return version.begin
    if version.body["metadata"].get("deletionTimestamp"):
        return version.begin + lost + float(version.body["metadata"].get("deletionGracePeriodSeconds") or 0)
    return None


def _is_over(version: Version) -> bool:
    return version.phase in OVER or any(code != 0 for code in _exit_codes(version)) or _has_pushed(version)


def _has_pushed(version: Version) -> bool:
    ended = [each.get("state", {}).get("terminated") for each in version.status.get("containerStatuses") or ()]
    return any(each is not None and each["exitCode"] == 0 for each in ended)


def _exit_codes(version: Version) -> Iterator[int]:
    for field in ("initContainerStatuses", "containerStatuses"):
        for each in version.status.get(field) or ():
            if ended := each.get("state", {}).get("terminated"):
                yield ended["exitCode"]
