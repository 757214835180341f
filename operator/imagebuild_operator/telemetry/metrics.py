"""The one table of metrics: what the operator counts and measures. `docs/metrics.md` is made from it.

Names follow https://prometheus.io/docs/practices/naming/: one prefix, base units, `_total` for counters.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PREFIX: Final = "imagebuild_"
#: Label of the metrics on builds if the settings ask for it. Not `namespace`: Prometheus gives that label to each
#: target, with the namespace of the operator's pod.
NAMESPACE: Final = "build_namespace"

#: Seconds, for what takes from a second to hours: builds, and waiting for one's turn.
LONG: Final = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0)
#: Seconds, for calls.
SHORT: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: Bytes, 1 MiB to 16 GiB.
SIZES: Final = tuple(float(1 << power) for power in range(20, 35, 2))


class Kind(StrEnum):
    """How a metric behaves."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: Its name as Prometheus stores it.
        kind: How it behaves.
        help: What it says; a sentence.
        labels: What it is told apart by.
        buckets: Upper bounds, of a histogram.
        of_builds: Whether it is told apart by namespace too, where the settings ask for it.
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
    "Builds that have ended, by result (succeeded, failed, cancelled) and reason (empty for succeeded ones).",
    ("result", "reason"),
)
BUILD_DURATION: Final = _builds(
    "build_duration_seconds",
    Kind.HISTOGRAM,
    "Time from the first pod of a build to its end, all attempts included.",
    ("result",),
    LONG,
)
QUEUE_WAIT: Final = _builds(
    "queue_wait_seconds",
    Kind.HISTOGRAM,
    "Time from the creation of an ImageBuild to its first pod, or to the end of its pod's scheduling gate.",
    (),
    LONG,
)
PHASE_DURATION: Final = _builds(
    "build_phase_duration_seconds",
    Kind.HISTOGRAM,
    "Time that a phase of the last attempt took: scheduled, pulled, fetched, built, pushed.",
    ("phase",),
    LONG,
)
ATTEMPTS_FINISHED: Final = _builds(
    "attempts_finished_total",
    Kind.COUNTER,
    "Attempts, each a pod, that have ended, by reason (empty for succeeded ones).",
    ("reason",),
)
CACHE_LOOKUPS: Final = _builds(
    "cache_lookups_total",
    Kind.COUNTER,
    "Layers looked up in the layer cache by builds that have ended, by result (hit, miss).",
    ("result",),
)
IMAGE_SIZE: Final = _builds(
    "image_size_bytes", Kind.HISTOGRAM, "Compressed size of the images that were built, each counted once.", (), SIZES
)
QUEUED: Final = _builds("builds_queued", Kind.GAUGE, "Builds that wait for their turn, suspended ones left out.", ())
RUNNING: Final = _builds("builds_running", Kind.GAUGE, "Builds that have begun and not ended.", ())

API_REQUESTS: Final = Metric(
    PREFIX + "api_requests_total",
    Kind.COUNTER,
    "Calls to the API server by verb and HTTP status; code `error` where there was no answer.",
    ("verb", "code"),
)
API_DURATION: Final = Metric(
    PREFIX + "api_request_duration_seconds",
    Kind.HISTOGRAM,
    "Time until the API server answered a call; of a watch, until it began.",
    ("verb",),
    SHORT,
)
RECONCILES: Final = Metric(
    PREFIX + "reconciles_total",
    Kind.COUNTER,
    "Runs of the reconciliation of one build, by result (success, conflict, error).",
    ("result",),
)
RECONCILE_DURATION: Final = Metric(
    PREFIX + "reconcile_duration_seconds", Kind.HISTOGRAM, "Time that one of them took.", (), SHORT
)
WORK_QUEUE_DEPTH: Final = Metric(PREFIX + "work_queue_depth", Kind.GAUGE, "Keys that wait to be handled.")
WORK_QUEUE_LONGEST: Final = Metric(
    PREFIX + "work_queue_longest_running_seconds",
    Kind.GAUGE,
    "How long the key that has been handled the longest has been; 0 where none is.",
)
WATCH_PROGRESS: Final = Metric(
    PREFIX + "watch_last_progress_timestamp_seconds",
    Kind.GAUGE,
    "When a watch last received anything: an event, a bookmark or a list. Of several, the one that is most behind.",
    ("resource",),
)
LEADER: Final = Metric(PREFIX + "leader", Kind.GAUGE, "1 while this operator acts, 0 while it stands by for the Lease.")
INFO: Final = Metric(
    PREFIX + "operator_build_info", Kind.GAUGE, "Always 1; its labels say what runs.", ("version", "python_version")
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
    LEADER,
    INFO,
)


@dataclass(frozen=True, slots=True)
class Observation:
    """A value for one metric: what to add to a counter, set a gauge to, or observe in a histogram.

    Attributes:
        metric: The metric.
        labels: Values of its labels, in the table's order.
        value: The value, in the metric's unit.
    """

    metric: Metric
    labels: tuple[str, ...] = ()
    value: float = 1.0
