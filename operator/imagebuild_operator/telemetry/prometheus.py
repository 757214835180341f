"""The metrics as Prometheus scrapes them: the table filled with observations, and gauges sampled on each scrape."""

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

# A series `_created` for each counter and histogram; Prometheus finds out by itself when a series began.
disable_created_metrics()

#: Gives gauges, each with the namespace of the builds that it is about, or an empty one.
Sampler = Callable[[], Iterable[tuple[Observation, str]]]

#: Seconds after which the series of a namespace without unfinished builds are removed. Nothing has changed in them for
#: that long, so no rate over a shorter time loses anything.
IDLE: Final = 3600.0


class Meters(Collector):
    """The metrics of one operator.

    Attributes:
        registry: What is scraped.
    """

    def __init__(self, *, namespaces: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        """Start from nothing.

        Args:
            namespaces: Whether metrics on builds are labelled by namespace.
            clock: Gives seconds.
        """
        self._namespaces = namespaces
        self._clock = clock
        #: When each namespace had an unfinished build last.
        self._active: dict[str, float] = {}
        self._samplers: list[Sampler] = []
        self.registry = CollectorRegistry()
        # First of all, so that a scrape shows nothing of namespaces that it removes.
        self.registry.register(self)
        self._collectors = {metric: self._collector(metric) for metric in TABLE if metric.kind is not Kind.GAUGE}
        ProcessCollector(registry=self.registry)
        self._begin_series()
        info = Gauge(INFO.name, INFO.help, INFO.labels, registry=self.registry)
        info.labels(version("imagebuild-operator"), platform.python_version()).set(1)

    def sample(self, sampler: Sampler) -> None:
        """Take the values of gauges from a function on each scrape."""
        self._samplers.append(sampler)

    def add(self, seen: Iterable[Observation], namespace: str = "") -> None:
        """Count and measure what was seen.

        Args:
            seen: What was seen; nothing at all still shows that the namespace has builds.
            namespace: Of the build, if it concerns one.
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

    def called(self, verb: str, status: int | None, seconds: float) -> None:
        """Count a request to the API server.

        Args:
            verb: Kubernetes' word for it.
            status: The HTTP status of the answer; None if there was none.
            seconds: How long it took.
        """
        code = "error" if status is None else str(status)
        self.add([Observation(API_REQUESTS, (verb, code)), Observation(API_DURATION, (verb,), seconds)])

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is known before a scrape."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family for each sampled gauge; values with the same labels are added up."""
        found: dict[Metric, dict[tuple[str, ...], float]] = {}
        for sampler in self._samplers:
            for observation, namespace in sampler():
                if NAMESPACE in self._labels(observation.metric) and not namespace:
                    continue  # A zero for the case that the metric has no such label.
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
        """Begin every series that is labelled by a namespace, or every other one, at 0.

        `rate` and `increase` do not see the first event of a series that begins with it.
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
