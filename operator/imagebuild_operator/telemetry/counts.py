"""Computes what a change of a build's status adds to the metrics. Pure.

Only changes that the API server has accepted are counted. A status is written to the version that it was computed
from, so only one of several operators writes it, and that one counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from imagebuild_vocabulary.phases import Phase

from imagebuild_operator.api.body import Body
from imagebuild_operator.api.build import ImageBuild, known_phase
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.time import milliseconds, parse_time
from imagebuild_operator.api.tracked import TrackedImage
from imagebuild_operator.telemetry.metrics import (
    ATTEMPTS_FINISHED,
    BUILD_DURATION,
    BUILDS_FINISHED,
    CACHE_LOOKUPS,
    IMAGE_SIZE,
    PHASE_DURATION,
    QUEUE_WAIT,
    QUEUED,
    RECONCILES,
    RUNNING,
    TRACKED,
    Metric,
    Observation,
)

#: The fields of `status.timings`, and the phase of the metric for each.
PHASES: Final[Mapping[str, str]] = {
    "scheduledMilliseconds": "scheduled",
    "pulledMilliseconds": "pulled",
    "fetchMilliseconds": "fetched",
    "buildMilliseconds": "built",
    "pushMilliseconds": "pushed",
}
CANCELLATIONS: Final = frozenset({Reason.CANCELLED, Reason.SUPERSEDED})
WAITS: Final = frozenset(
    {
        Reason.SUSPENDED,
        Reason.GROUP_BUSY,
        Reason.CLUSTER_LIMIT,
        Reason.NAMESPACE_LIMIT,
        Reason.GATED,
        Reason.DEFAULTS_INVALID,
        Reason.DEFAULTS_UNREADABLE,
    }
)
#: Results and reasons of finished builds.
ENDINGS: Final[tuple[tuple[str, str], ...]] = (
    ("succeeded", ""),
    *(("cancelled" if reason in CANCELLATIONS else "failed", str(reason)) for reason in Reason if reason not in WAITS),
)
LOOKUPS: Final[Mapping[str, str]] = {"hits": "hit", "misses": "miss"}
#: The values that the labels of each counted metric can have.
SERIES: Final[Mapping[Metric, tuple[tuple[str, ...], ...]]] = {
    BUILDS_FINISHED: ENDINGS,
    BUILD_DURATION: tuple((str(phase).lower(),) for phase in Phase if phase.is_final),
    QUEUE_WAIT: ((),),
    PHASE_DURATION: tuple((name,) for name in PHASES.values()),
    ATTEMPTS_FINISHED: tuple((reason,) for reason in dict.fromkeys(reason for _, reason in ENDINGS)),
    CACHE_LOOKUPS: tuple((name,) for name in LOOKUPS.values()),
    IMAGE_SIZE: ((),),
    RECONCILES: (("success",), ("conflict",), ("error",)),
}


def observations(build: ImageBuild, written: Body) -> tuple[Observation, ...]:
    """Compute what a change of the status adds to the metrics.

    Args:
        build: The build before the change.
        written: The changed fields of its status; None for a removed one.
    """
    return (*_begun(build, written), *_attempts(build, written), *_finished(build, written))


def queued_and_running(unfinished: Iterable[tuple[ImageBuild, bool]]) -> Iterator[tuple[Observation, str]]:
    """Compute the gauges of queued and running builds, each with its namespace.

    A namespace with an unfinished build has both, even if one is 0: an alert that compares a value with a missing
    series never fires.

    Args:
        unfinished: Every unfinished build, and whether it has started.
    """
    yield from ((Observation(metric, (), 0.0), "") for metric in (QUEUED, RUNNING))
    for build, has_begun in unfinished:
        yield Observation(QUEUED, (), float(not has_begun and not build.is_suspended)), build.namespace
        yield Observation(RUNNING, (), float(has_begun)), build.namespace


def tracked_images(images: Iterable[TrackedImage]) -> Iterator[tuple[Observation, str]]:
    """Compute the gauge of TrackedImages as their statuses say, each with its namespace."""
    for image in images:
        status = str(image.condition("Reconciling").get("reason") or "")
        is_ready = image.condition("Ready").get("status") == "True"
        yield Observation(TRACKED, (status, str(is_ready).lower()), 1.0), image.namespace


def _begun(build: ImageBuild, written: Body) -> Iterator[Observation]:
    waited = milliseconds(build.created, parse_time(written.get("startTime")))
    if build.started is None and waited is not None:
        yield Observation(QUEUE_WAIT, (), waited / 1000)


def _attempts(build: ImageBuild, written: Body) -> Iterator[Observation]:
    ended = list((written.get("attempts") or ())[len(build.attempts) :])
    before = {entry["platform"]: len(entry.get("attempts") or ()) for entry in build.status.get("platforms") or ()}
    for entry in written.get("platforms") or ():
        ended += (entry.get("attempts") or ())[before.get(entry["platform"], 0) :]
    for attempt in ended:
        yield Observation(ATTEMPTS_FINISHED, (attempt.get("reason") or "",))


def _finished(build: ImageBuild, written: Body) -> Iterator[Observation]:
    phase = known_phase(written.get("phase") or build.phase)
    if build.is_finished or not phase.is_final:
        return
    result = phase.lower()
    status = {**build.status, **written}
    timings = status.get("timings") or {}
    yield Observation(BUILDS_FINISHED, (result, status.get("reason") or ""))
    if "totalMilliseconds" in timings:
        yield Observation(BUILD_DURATION, (result,), timings["totalMilliseconds"] / 1000)
    for field, name in PHASES.items():
        if field in timings:
            yield Observation(PHASE_DURATION, (name,), timings[field] / 1000)
    for field, name in LOOKUPS.items():
        if count := (status.get("cache") or {}).get(field):
            yield Observation(CACHE_LOOKUPS, (name,), count)
    sizes = {image["digest"]: image.get("sizeBytes") for image in status.get("images") or ()}
    for size in sizes.values():
        if size is not None:
            yield Observation(IMAGE_SIZE, (), size)
