"""Makes the trace of a finished build from its status. Pure.

The root span is the build. Under it are the time in the queue and each attempt, and under the last attempt its phases.
A multi-platform build has a span for each platform, with attempts of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.body import Body
from imagebuild_operator.api.build import ImageBuild, known_phase
from imagebuild_operator.api.time import parse_time
from imagebuild_operator.api.traceparent import parent, span_id, trace_of

Value = str | int | bool

#: Phases at the start of an attempt, in order, and phases at its end, in reverse order.
FIRST: Final = (("schedule", "scheduledMilliseconds"), ("pull", "pulledMilliseconds"))
LAST: Final = (("push", "pushMilliseconds"), ("build", "buildMilliseconds"), ("fetch", "fetchMilliseconds"))
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
        name: Its name.
        span_id: 16 hexadecimal digits.
        parent_id: The ID of its parent span; None for the root of a trace.
        start: Its start time.
        end: Its end time.
        attributes: Its attributes.
        error: What went wrong; None on success.
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
    """All spans of one build, each after its parent."""

    trace_id: str
    is_sampled: bool
    #: Whether the root has a parent in somebody else's trace.
    has_parent: bool
    spans: tuple[Span, ...]


def trace(build: ImageBuild, written: Body) -> Trace | None:
    """Make the trace of a build; None if a change of its status did not finish it.

    Args:
        build: The build before the change.
        written: The changed fields of its status.
    """
    status = {**build.status, **written}
    end = parse_time(status.get("completionTime"))
    if build.is_finished or not known_phase(status.get("phase")).is_final or end is None:
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
                "cicd.pipeline.result": RESULTS[known_phase(status["phase"])],
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
    # Each platform has its own timings; the build's own attempts only push the index.
    own = {**status, "timings": {}} if status.get("platforms") else status
    spans += _attempts(build, own, root.span_id, ())
    for entry in status.get("platforms") or ():
        spans += _platform(build, entry, root)
    return Trace(context.trace_id, context.is_sampled, given is not None, tuple(spans))


def _platform(build: ImageBuild, entry: Body, root: Span) -> Iterator[Span]:
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


def _attempts(build: ImageBuild, status: Body, parent_id: str, path: tuple[str, ...]) -> Iterator[Span]:
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
    """Place the phases by their durations: the first ones from the attempt's start, the last ones from its end."""

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
