"""The table of metrics. `docs/reference/metrics.md` is generated from it.

It is data and no collection of prometheus_client's objects, since these keep their labels private, and the docs, the
tests of alerts and the pure counting need them.

Names follow https://prometheus.io/docs/practices/naming/: one prefix, base units, `_total` for counters.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PREFIX: Final = "imagebuild_"
#: Label of the metrics on builds if the settings ask for it. Not `namespace`: Prometheus gives that label to each
#: target, with the namespace of the operator's pod.
NAMESPACE: Final = "build_namespace"

#: Seconds, for builds and their time in the queue.
LONG: Final = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0)
#: Seconds, for requests and reconciles.
SHORT: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: Bytes, 1 MiB to 16 GiB.
SIZES: Final = tuple(float(1 << power) for power in range(20, 35, 2))


class Kind(StrEnum):
    """The type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: Its name as Prometheus stores it.
        kind: Its type.
        help: One sentence that begins with what it is.
        labels: The names of its labels.
        buckets: Upper bounds of the buckets of a histogram.
        of_builds: Whether it is labelled by the build's namespace if the settings ask for it.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    of_builds: bool = False


def _builds(name: str, kind: Kind, text: str, labels: tuple[str, ...], buckets: tuple[float, ...] = ()) -> Metric:
    return Metric(PREFIX + name, kind, text, labels, buckets, of_builds=True)


BUILDS_FINISHED: Final = _builds(
    "builds_finished_total",
    Kind.COUNTER,
    "Finished builds, by result (succeeded, failed, cancelled) and reason (empty if succeeded).",
    ("result", "reason"),
)
BUILD_DURATION: Final = _builds(
    "build_duration_seconds",
    Kind.HISTOGRAM,
    "Time from the start of a build to its end, including all attempts, in seconds.",
    ("result",),
    LONG,
)
QUEUE_WAIT: Final = _builds(
    "queue_wait_seconds",
    Kind.HISTOGRAM,
    "Time from the creation of an ImageBuild to the start of the build, in seconds.",
    (),
    LONG,
)
PHASE_DURATION: Final = _builds(
    "build_phase_duration_seconds",
    Kind.HISTOGRAM,
    "Duration of the phases of the last attempt (scheduled, pulled, fetched, built, pushed), in seconds.",
    ("phase",),
    LONG,
)
ATTEMPTS_FINISHED: Final = _builds(
    "attempts_finished_total",
    Kind.COUNTER,
    "Finished attempts, each with a pod of its own, by reason (empty if succeeded).",
    ("reason",),
)
CACHE_LOOKUPS: Final = _builds(
    "cache_lookups_total",
    Kind.COUNTER,
    "Layer cache lookups of finished builds, by result (hit, miss).",
    ("result",),
)
IMAGE_SIZE: Final = _builds(
    "image_size_bytes",
    Kind.HISTOGRAM,
    "Compressed size of built images, each digest counted once, in bytes.",
    (),
    SIZES,
)
QUEUED: Final = _builds("builds_queued", Kind.GAUGE, "Builds in the queue, without suspended ones.", ())
RUNNING: Final = _builds("builds_running", Kind.GAUGE, "Builds that have started and not finished.", ())

API_REQUESTS: Final = Metric(
    PREFIX + "api_requests_total",
    Kind.COUNTER,
    "Requests to the API server, by verb and HTTP status code (`error` if there was no response).",
    ("verb", "code"),
)
API_DURATION: Final = Metric(
    PREFIX + "api_request_duration_seconds",
    Kind.HISTOGRAM,
    "Time until the API server responded to a request, in seconds; for a watch, until it started.",
    ("verb",),
    SHORT,
)
RECONCILES: Final = Metric(
    PREFIX + "reconciles_total",
    Kind.COUNTER,
    "Reconciles of builds, by result (success, conflict, error).",
    ("result",),
)
RECONCILE_DURATION: Final = Metric(
    PREFIX + "reconcile_duration_seconds", Kind.HISTOGRAM, "Duration of a reconcile, in seconds.", (), SHORT
)
WORK_QUEUE_DEPTH: Final = Metric(PREFIX + "work_queue_depth", Kind.GAUGE, "Keys that wait in the work queue.")
WORK_QUEUE_LONGEST: Final = Metric(
    PREFIX + "work_queue_longest_running_seconds",
    Kind.GAUGE,
    "Age of the longest-running reconcile, in seconds; 0 if none is running.",
)
WATCH_PROGRESS: Final = Metric(
    PREFIX + "watch_last_progress_timestamp_seconds",
    Kind.GAUGE,
    "Unix time at which a watch last received an event, a bookmark or a list; the oldest of several watches.",
    ("resource",),
)
TRACKED: Final = _builds(
    "tracked_images",
    Kind.GAUGE,
    "TrackedImages, by status (UpToDate, Building, BuildFailed and so on) and whether there is an image (true, false).",
    ("status", "ready"),
)
DEFAULTS_UNREADABLE: Final = Metric(
    PREFIX + "defaults_unreadable",
    Kind.GAUGE,
    "Whether the API server refuses to list ImageBuildDefaults, so that builds wait: 1 if it does, else 0.",
)
LEADER: Final = Metric(
    PREFIX + "leader", Kind.GAUGE, "Whether this operator is the leader: 1 for the leader, 0 for a standby."
)
INFO: Final = Metric(
    PREFIX + "operator_build_info",
    Kind.GAUGE,
    "Always 1; the labels have the versions of the operator and of Python.",
    ("version", "python_version"),
)

TABLE: Final[tuple[Metric, ...]] = (
    BUILDS_FINISHED,
    BUILD_DURATION,
    QUEUE_WAIT,
    PHASE_DURATION,
    ATTEMPTS_FINISHED,
    CACHE_LOOKUPS,
    IMAGE_SIZE,
    QUEUED,
    RUNNING,
    API_REQUESTS,
    API_DURATION,
    RECONCILES,
    RECONCILE_DURATION,
    WORK_QUEUE_DEPTH,
    WORK_QUEUE_LONGEST,
    WATCH_PROGRESS,
    TRACKED,
    DEFAULTS_UNREADABLE,
    LEADER,
    INFO,
)


@dataclass(frozen=True, slots=True)
class Observation:
    """A value for one metric: to add to a counter, to set a gauge to, or to observe in a histogram.

    Attributes:
        metric: The metric.
        labels: Values of its labels, in the table's order.
        value: The value, in the metric's unit.
    """

    metric: Metric
    labels: tuple[str, ...] = ()
    value: float = 1.0
