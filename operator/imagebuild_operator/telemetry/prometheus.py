"""The metrics that Prometheus scrapes: counters and histograms of observations, and gauges sampled on each scrape."""

import platform
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import Final

from prometheus_client import Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CollectorRegistry, GaugeMetricFamily
from prometheus_client.registry import Collector

from imagebuild_operator.telemetry.counts import SERIES
from imagebuild_operator.telemetry.metrics import (
    API_DURATION,
    API_REQUESTS,
    INFO,
    NAMESPACE,
    TABLE,
    Kind,
    Metric,
    Observation,
)

# Each counter and histogram would have a series `_created`, which Prometheus does not need.
disable_created_metrics()

#: Gives the values of gauges, each with the namespace of the builds that it covers, or an empty one.
Sampler = Callable[[], Iterable[tuple[Observation, str]]]

#: Seconds after which the series of a namespace without unfinished builds are removed. They have not changed for that
#: long, so no rate over a shorter range loses anything.
IDLE: Final = 3600.0


class Metrics(Collector):
    """The metrics of one operator.

    Attributes:
        registry: The registry to serve.
    """

    def __init__(self, *, namespaces: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        """Create all metrics.

        Args:
            namespaces: Whether metrics on builds are labelled by namespace.
            clock: Gives the time in seconds.
        """
        self._namespaces = namespaces
        self._clock = clock
        #: The last time at which each namespace had an unfinished build.
        self._active: dict[str, float] = {}
        self._samplers: list[Sampler] = []
        self.registry = CollectorRegistry()
        # Collected first, so that a scrape has no series of the namespaces that it removes.
        self.registry.register(self)
        self._collectors = {metric: self._collector(metric) for metric in TABLE if metric.kind is not Kind.GAUGE}
        ProcessCollector(registry=self.registry)
        self._begin_series()
        info = Gauge(INFO.name, INFO.help, INFO.labels, registry=self.registry)
        info.labels(version("imagebuild-operator"), platform.python_version()).set(1)

    def sample(self, sampler: Sampler) -> None:
        """Call a function for the values of gauges on each scrape."""
        self._samplers.append(sampler)

    def add(self, seen: Iterable[Observation], namespace: str = "") -> None:
        """Add observations.

        Args:
            seen: The observations. Even if empty, they show that the namespace has builds.
            namespace: The namespace of the build, if they are about one.
        """
        self._note(namespace)
        for observation in seen:
            collector = self._collectors[observation.metric]
            values = self._values(observation, namespace)
            series = collector.labels(*values) if values else collector
            if isinstance(series, Counter):
                series.inc(observation.value)
            else:
                series.observe(observation.value)

    def count_request(self, verb: str, status: int | None, seconds: float) -> None:
        """Count a request to the API server.

        Args:
            verb: Its Kubernetes verb.
            status: The HTTP status of the response; None if there was none.
            seconds: Its duration.
        """
        code = "error" if status is None else str(status)
        self.add([Observation(API_REQUESTS, (verb, code)), Observation(API_DURATION, (verb,), seconds)])

    def describe(self) -> list[GaugeMetricFamily]:
        """Return nothing: the gauges are known only on a scrape."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield a family for each sampled gauge; values with the same labels are added up."""
        found: dict[Metric, dict[tuple[str, ...], float]] = {}
        for sampler in self._samplers:
            for observation, namespace in sampler():
                if NAMESPACE in self._labels(observation.metric) and not namespace:
                    continue  # This 0 is for a metric without namespaces.
                self._note(namespace)
                values = self._values(observation, namespace)
                series = found.setdefault(observation.metric, {})
                series[values] = series.get(values, 0.0) + observation.value
        self._remove_idle()
        for metric, samples in found.items():
            family = GaugeMetricFamily(metric.name, metric.help, labels=self._labels(metric))
            for values, value in samples.items():
                family.add_metric(values, value)
            yield family

    def _note(self, namespace: str) -> None:
        """Note that a namespace has builds."""
        if namespace and self._namespaces:
            if namespace not in self._active:
                self._begin_series(namespace)
            self._active[namespace] = self._clock()

    def _begin_series(self, namespace: str = "") -> None:
        """Start all series of a namespace, or all series without one, at 0.

        `rate` and `increase` miss the first event of a series that starts with it.
        """
        for metric, series in SERIES.items():
            if self._labels(metric) and (NAMESPACE in self._labels(metric)) == bool(namespace):
                for labels in series:
                    self._collectors[metric].labels(*labels, *filter(None, [namespace]))

    def _remove_idle(self) -> None:
        now = self._clock()
        for namespace in [name for name, last in self._active.items() if now - last > IDLE]:
            del self._active[namespace]
            for metric, collector in self._collectors.items():
                if metric.of_builds:
                    collector.remove_by_labels({NAMESPACE: namespace})

    def _collector(self, metric: Metric) -> Counter | Histogram:
        labels = self._labels(metric)
        if metric.kind is Kind.COUNTER:
            return Counter(metric.name, metric.help, labels, registry=self.registry)
        return Histogram(metric.name, metric.help, labels, buckets=metric.buckets, registry=self.registry)

    def _labels(self, metric: Metric) -> tuple[str, ...]:
        return (*metric.labels, NAMESPACE) if metric.of_builds and self._namespaces else metric.labels

    def _values(self, observation: Observation, namespace: str) -> tuple[str, ...]:
        has_namespace = observation.metric.of_builds and self._namespaces
        return (*observation.labels, namespace) if has_namespace else observation.labels
