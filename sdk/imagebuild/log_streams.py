"""Which logs of which containers are to be read next."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imagebuild_vocabulary.names import CONTAINERS, PLATFORM_LABEL

from imagebuild.build import Build
from imagebuild.log_line import LogLine

Pod = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stream:
    """The log of one container.

    Attributes:
        pod: Name of the pod.
        uid: uid of the pod.
        container: Name of the container.
        platform: Platform of the pod, such as linux-arm64; empty if there is only one.
        attempt: Number of the attempt, from 1.
    """

    pod: str
    uid: str
    container: str
    platform: str
    attempt: int


def next_streams(build: Build, pods: Iterable[Pod], done: Collection[Stream]) -> list[Stream]:
    """Return the logs that can be read now: those of all containers that have started.

    They are in the order of the pods, and in that in which the containers of a pod run. A log is opened as soon as
    its container is known to run, while that of the one before may not be read to its end: the operator deletes pods
    that succeed, and their logs with them.

    Args:
        build: The build.
        pods: Its pods.
        done: The logs that are read or have been read to their end.
    """
    return [
        stream
        for pod in _in_order(pods)
        for stream in _streams(build, pod)
        if stream not in done and has_started(pod, stream.container)
    ]


def has_started(pod: Pod, container: str) -> bool:
    """Whether a container of a pod runs or has run."""
    return any(state in _state(pod, container) for state in ("running", "terminated"))


def has_ended(pod: Pod, container: str) -> bool:
    """Whether a container of a pod writes nothing any more."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in {"Succeeded", "Failed"} or "terminated" in _state(pod, container)


def _streams(build: Build, pod: Pod) -> Iterator[Stream]:
    metadata = pod["metadata"]
    platform = (metadata.get("labels") or {}).get(PLATFORM_LABEL, "")
    attempt = _attempt(build, metadata["name"], platform)
    for container in (*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]):
        if container["name"] in CONTAINERS:
            yield Stream(metadata["name"], metadata["uid"], container["name"], platform, attempt)


def _attempt(build: Build, pod: str, platform: str) -> int:
    """Return the number of the attempt that a pod is, which the status tells."""
    entries = build.status.get("platforms") or ()
    entry = next((each for each in entries if each["platform"].replace("/", "-") == platform), None)
    attempts = (build.status if entry is None else entry).get("attempts") or ()
    names = [attempt.get("podName") for attempt in attempts]
    return names.index(pod) + 1 if pod in names else len(names) + 1


def _in_order(pods: Iterable[Pod]) -> list[Pod]:
    return sorted(pods, key=lambda pod: (pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"]))


def _state(pod: Pod, container: str) -> Mapping[str, Any]:
    status = pod.get("status") or {}
    for field in ("initContainerStatuses", "containerStatuses"):
        for entry in status.get(field) or ():
            if entry["name"] == container:
                return entry.get("state") or {}
    return {}


class InOrder:
    """Puts lines into the order in which the containers of each pod run, while their logs are read at the same time."""

    def __init__(self) -> None:
        self._open: dict[str, list[Stream]] = {}
        self._kept: dict[Stream, list[LogLine]] = {}
        self._ended: set[Stream] = set()

    def __bool__(self) -> bool:
        """Whether a log is being read."""
        return any(self._open.values())

    def open(self, stream: Stream) -> None:
        """Record that a log is read from now on."""
        self._open.setdefault(stream.uid, []).append(stream)
        self._kept[stream] = []

    def line(self, stream: Stream, line: LogLine) -> list[LogLine]:
        """Take a line; the lines whose turn it is."""
        if self._open[stream.uid][0] == stream:
            return [line]
        self._kept[stream].append(line)
        return []

    def end(self, stream: Stream) -> list[LogLine]:
        """Take the end of a log; the lines whose turn it is now."""
        self._ended.add(stream)
        streams, found = self._open[stream.uid], list[LogLine]()
        while streams and streams[0] in self._ended:
            del self._kept[streams.pop(0)]
            if streams:
                found += self._kept[streams[0]]
                self._kept[streams[0]] = []
        return found
