"""The trace of a build that has ended, made from what its status records. Pure.

A root for the build; under it the wait for its turn and each attempt; under the last attempt what it spent its time on.
A build for several platforms has a span for each of them, with attempts of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from imagebuild_operator.api.build import ImageBuild, Phase
from imagebuild_operator.api.time import parse_time
from imagebuild_operator.api.traceparent import parent, span_id, trace_of

Json = Mapping[str, Any]
Value = str | int | bool

#: What the first of an attempt's time is spent on, in this order, and the last of it.
FIRST: Final = (("schedule", "scheduledMs"), ("pull", "pulledMs"))
LAST: Final = (("push", "pushMs"), ("build", "buildMs"), ("fetch", "fetchMs"))
#: Values of https://opentelemetry.io/docs/specs/semconv/registry/attributes/cicd/.
RESULTS: Final[Mapping[Phase, str]] = {
    Phase.SUCCEEDED: "success",
    Phase.FAILED: "failure",
    Phase.CANCELLED: "cancellation",
}


@dataclass(frozen=True, slots=True)
class Span:
    """One span.

    Attributes:
        name: What it is the time of.
        span_id: 16 hexadecimal digits.
        parent_id: The span that it is a part of; None for the root of a trace.
        start: Its beginning.
        end: Its end.
        attributes: What else there is to say.
        error: What went wrong; None where nothing did.
    """

    name: str
    span_id: str
    parent_id: str | None
    start: datetime
    end: datetime
    attributes: Mapping[str, Value] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """All spans of one build, each after the one that it is a part of."""

    trace_id: str
    is_sampled: bool
    #: Whether the root is a part of somebody else's span.
    has_parent: bool
    spans: tuple[Span, ...]


def trace(build: ImageBuild, written: Json) -> Trace | None:
    """The trace of a build; None where the change of its status was not its end.

    Args:
        build: The build as it was before.
        written: The fields of its status that have been changed.
    """
    status = {**build.status, **written}
    end = parse_time(status.get("completionTime"))
    if build.is_finished or not Phase(status.get("phase") or Phase.PENDING).is_final or end is None:
        return None
    context, given = trace_of(build), parent(build)
    begin = min(build.created, end)
    root = Span(
        "ImageBuild",
        context.span_id,
        given.span_id if given else None,
        begin,
        end,
        _present(
            {
                "cicd.pipeline.name": build.name,
                "cicd.pipeline.run.id": build.uid,
                "cicd.pipeline.result": RESULTS[Phase(status["phase"])],
                "k8s.namespace.name": build.namespace,
                "error.type": status.get("reason"),
                "imagebuild.digest": status.get("digest"),
                "imagebuild.cache.hits": (status.get("cache") or {}).get("hits"),
                "imagebuild.cache.misses": (status.get("cache") or {}).get("misses"),
            }
        ),
        status.get("message") if status["phase"] != Phase.SUCCEEDED else None,
    )
    started = parse_time(status.get("startTime"))
    spans = [root]
    if started is not None:
        spans.append(Span("queue", span_id(build, "queue"), root.span_id, begin, max(begin, started)))
    # The timings of several platforms are theirs, and the build's own attempts only push the index.
    own = {**status, "timings": {}} if status.get("platforms") else status
    spans += _attempts(build, own, root.span_id, ())
    for entry in status.get("platforms") or ():
        spans += _platform(build, entry, root)
    return Trace(context.trace_id, context.is_sampled, given is not None, tuple(spans))


def _platform(build: ImageBuild, entry: Json, root: Span) -> Iterator[Span]:
    start = parse_time(entry.get("startTime"))
    if start is None:
        return
    end = parse_time(entry.get("completionTime")) or root.end
    path = ("platform", str(entry["platform"]))
    attributes = _present({"imagebuild.platform": entry["platform"], "error.type": entry.get("reason")})
    error = entry.get("message") if entry.get("phase") == Phase.FAILED else None
    span = Span("platform", span_id(build, *path), root.span_id, start, max(start, end), attributes, error)
    yield span
    yield from _attempts(build, entry, span.span_id, path)


def _attempts(build: ImageBuild, status: Json, parent_id: str, path: tuple[str, ...]) -> Iterator[Span]:
    attempts = status.get("attempts") or ()
    for number, attempt in enumerate(attempts, start=1):
        end = parse_time(attempt.get("completionTime"))
        start = parse_time(attempt.get("startTime"))
        if start is None or end is None:
            continue
        here = (*path, f"{number}")
        attributes = _present(
            {
                "imagebuild.attempt": number,
                "k8s.pod.name": attempt.get("podName"),
                "k8s.node.name": attempt.get("node"),
                "error.type": attempt.get("reason"),
            }
        )
        error = attempt.get("message") if attempt.get("reason") else None
        span = Span("attempt", span_id(build, *here), parent_id, start, max(start, end), attributes, error)
        yield span
        if number == len(attempts):
            yield from _steps(build, status.get("timings") or {}, span, here)


def _steps(build: ImageBuild, timings: Mapping[str, int], attempt: Span, path: tuple[str, ...]) -> Iterator[Span]:
    """What is known of it are durations: the first count from its beginning, the last back from its end."""

    def step(name: str, start: datetime, end: datetime) -> Span:
        begin = min(max(start, attempt.start), attempt.end)
        return Span(name, span_id(build, *path, name), attempt.span_id, begin, max(begin, min(end, attempt.end)))

    moment = attempt.start
    for name, timing in FIRST:
        if timing in timings:
            after = moment + timedelta(milliseconds=timings[timing])
            yield step(name, moment, after)
            moment = after
    moment = attempt.end
    for name, timing in LAST:
        if timing in timings:
            before = moment - timedelta(milliseconds=timings[timing])
            yield step(name, before, moment)
            moment = before


def _present(attributes: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in attributes.items() if value is not None}
