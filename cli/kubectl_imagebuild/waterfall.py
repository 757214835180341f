"""What a build spent its time on: its phases, one after the other, for each attempt and platform."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from imagebuild import Build, Phase

Fields = Mapping[str, Any]

#: The fields of status.timings, in the order in which their parts follow each other.
PARTS: Final = {
    "queuedMilliseconds": "Queued",
    "scheduledMilliseconds": "Scheduling",
    "pulledMilliseconds": "Starting the pod",
    "checkMilliseconds": "Checking push credentials",
    "uploadMilliseconds": "Receiving the upload",
    "fetchMilliseconds": "Fetching the context",
    "buildMilliseconds": "Running the Dockerfile",
    "pushMilliseconds": "Pushing",
}
#: The part that a build is in, by its phase.
_RUNNING: Final = {
    Phase.QUEUED: "Queued",
    Phase.PENDING: "Queued",
    Phase.PREPARING: "Preparing the pod",
    Phase.BUILDING: "Building",
    Phase.PUSHING: "Pushing",
}


class State(StrEnum):
    """State of a span."""

    DONE = "done"
    RUNNING = "running"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a build.

    Attributes:
        name: What was done.
        start: When it began.
        end: When it ended; None if it has not.
        state: Its state.
        detail: What else to know of it, such as why an attempt failed; may be empty.
    """

    name: str
    start: datetime
    end: datetime | None
    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """Spans that follow each other.

    Attributes:
        name: The platform; empty for a build of one platform, and for the index of a multi-platform build.
        spans: The spans, the first one first.
    """

    name: str
    spans: tuple[Span, ...]


def lanes(build: Build) -> tuple[Lane, ...]:
    """The spans of a build; those of each platform in a lane of its own, before the lane of the build itself."""
    platforms = build.status.get("platforms") or ()
    if not platforms:
        found = [Lane("", tuple(_spans(build, build.status)))]
    else:
        found = [Lane(str(entry["platform"]), tuple(_spans(build, entry))) for entry in platforms]
        found.append(Lane("", tuple(_index(build, platforms))))
    return tuple(lane for lane in found if lane.spans)


def _index(build: Build, platforms: Sequence[Fields]) -> Iterator[Span]:
    """The pushes of the index, which follow the platforms."""
    for attempt in build.status.get("attempts") or ():
        start, end = time_of(attempt, "startTime"), time_of(attempt, "completionTime")
        if start is not None:
            state = State.FAILED if attempt.get("reason") else State.DONE
            yield Span("Pushing the index", start, end or start, state, str(attempt.get("reason") or ""))
    ends = [end for entry in platforms if (end := time_of(entry, "completionTime"))]
    if build.phase is Phase.PUSHING and len(ends) == len(platforms):
        yield Span("Pushing the index", max(ends), None, State.RUNNING, build.reason)


def _spans(build: Build, fields: Fields) -> Iterator[Span]:
    phase = Phase(fields["phase"]) if fields.get("phase") else None
    attempts: Sequence[Fields] = fields.get("attempts") or ()
    if build.created is None:
        return
    if phase is None or not phase.is_final:
        yield from _retried(attempts)
        yield from _unfinished(build, phase, fields, attempts)
        return
    yield from _retried(attempts[:-1])
    yield from _finished(build.created, phase, fields, attempts)


def _finished(created: datetime, phase: Phase, fields: Fields, attempts: Sequence[Fields]) -> Iterator[Span]:
    """The parts of the last attempt."""
    timings: Fields = fields.get("timings") or {}
    begun = next((time for each in (*attempts[-1:], fields) if (time := time_of(each, "startTime"))), None)
    ended = time_of(fields, "completionTime")
    if begun is None:
        yield Span("Queued", created, ended or created, _ending(phase), str(fields.get("reason") or ""))
        return
    if queued := timings.get("queuedMilliseconds"):
        yield Span("Queued", created, created + timedelta(milliseconds=queued), State.DONE)
    parts = [(name, timings[key]) for key, name in PARTS.items() if key != "queuedMilliseconds" and key in timings]
    for number, (name, milliseconds) in enumerate(parts, 1):
        end = begun + timedelta(milliseconds=milliseconds)
        yield Span(name, begun, end, _ending(phase) if number == len(parts) else State.DONE)
        begun = end
    if not parts:
        yield Span(_RUNNING[Phase.PREPARING], begun, ended or begun, _ending(phase), str(fields.get("reason") or ""))


def _retried(attempts: Sequence[Fields]) -> Iterator[Span]:
    """Attempts that were followed by another one."""
    for number, attempt in enumerate(attempts, 1):
        start, end = time_of(attempt, "startTime"), time_of(attempt, "completionTime")
        if start is not None:
            yield Span(f"Attempt {number}", start, end or start, State.FAILED, str(attempt.get("reason") or ""))


def _unfinished(build: Build, phase: Phase | None, fields: Fields, attempts: Sequence[Fields]) -> Iterator[Span]:
    created, pod = build.created, time_of(fields, "startTime")
    if created is None:
        return
    if pod is None:
        yield Span("Queued", created, None, State.RUNNING, str(fields.get("reason") or ""))
        return
    if pod > created:
        yield Span("Queued", created, pod, State.DONE)
    ended = time_of(attempts[-1], "completionTime") if attempts else None
    start = max(pod, ended or pod)
    log = _runs_since(fields)
    if log is not None and log >= start and phase in {Phase.BUILDING, Phase.PUSHING}:
        yield Span("Preparing the pod", start, log, State.DONE)
        start = log
    yield Span(_RUNNING[phase or Phase.PREPARING], start, None, State.RUNNING, str(fields.get("reason") or ""))


def _runs_since(fields: Fields) -> datetime | None:
    for condition in fields.get("conditions") or ():
        if condition.get("type") == "Waiting" and condition.get("status") == "False":
            return time_of(condition, "lastTransitionTime")
    return None


def _ending(phase: Phase) -> State:
    return {Phase.FAILED: State.FAILED, Phase.CANCELLED: State.CANCELLED}.get(phase, State.DONE)


def time_of(fields: Fields, name: str) -> datetime | None:
    """Read a time of a status."""
    text = fields.get(name)
    return datetime.fromisoformat(text) if text else None
