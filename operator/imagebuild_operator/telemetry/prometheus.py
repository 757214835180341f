"""The metrics as Prometheus reads them: the table filled with observations and, on each read, with how things stand."""

import platform
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import Final

from prometheus_client import Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CollectorRegistry, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from imagebuild_operator.telemetry.counts import ENDINGS
from imagebuild_operator.telemetry.metrics import (
    API_DURATION,
    API_REQUESTS,
    BUILDS_FINISHED,
    INFO,
    NAMESPACE,
    TABLE,
    Kind,
    Metric,
    Observation,
)

# They would be a series for each other one, to tell when it began; Prometheus finds that out by itself.
disable_created_metrics()

Sampler = Callable[[], Iterable[tuple[Observation, str]]]

#: What a reader of metrics expects in the header Content-Type.
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


class Meters:
    """The metrics of one operator."""

    def __init__(self, *, namespaces: bool = False) -> None:
        """Start from nothing.

        Args:
            namespaces: Whether what is said of builds is told apart by namespace.
        """
        self._namespaces = namespaces
        self._registry = CollectorRegistry()
        self._collectors = {metric: self._collector(metric) for metric in TABLE if metric.kind is not Kind.GAUGE}
        ProcessCollector(registry=self._registry)
        if not namespaces:
            # A series that begins with its first event has no rate then.
            for labels in ENDINGS:
                self._collectors[BUILDS_FINISHED].labels(*labels)
        info = Gauge(INFO.name, INFO.help, INFO.labels, registry=self._registry)
        info.labels(version("imagebuild-operator"), platform.python_version()).set(1)

    def sample(self, sampler: Sampler) -> None:
        """Ask for the values of gauges each time that the metrics are read."""
        self._registry.register(_Samples(sampler, self._labels, self._values))

    def add(self, seen: Iterable[Observation], namespace: str = "") -> None:
        """Count and measure what was seen.

        Args:
            seen: What was seen.
            namespace: Where, as far as it concerns builds.
        """
        for observation in seen:
            collector = self._collectors[observation.metric]
            values = self._values(observation, namespace)
            series = collector.labels(*values) if values else collector
            if isinstance(series, Counter):
                series.inc(observation.value)
            else:
                series.observe(observation.value)

    def called(self, verb: str, status: int | None, seconds: float) -> None:
        """Count a call to the API server.

        Args:
            verb: Kubernetes' word for it.
            status: The HTTP status of the answer; None where there was none.
            seconds: How long it took.
        """
        code = "error" if status is None else str(status)
        self.add([Observation(API_REQUESTS, (verb, code)), Observation(API_DURATION, (verb,), seconds)])

    def page(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _collector(self, metric: Metric) -> Counter | Histogram:
        labels = self._labels(metric)
        if metric.kind is Kind.COUNTER:
            return Counter(metric.name, metric.help, labels, registry=self._registry)
        return Histogram(metric.name, metric.help, labels, buckets=metric.buckets, registry=self._registry)

    def _labels(self, metric: Metric) -> tuple[str, ...]:
        return (*metric.labels, NAMESPACE) if metric.of_builds and self._namespaces else metric.labels

    def _values(self, observation: Observation, namespace: str) -> tuple[str, ...]:
        has_namespace = observation.metric.of_builds and self._namespaces
        return (*observation.labels, namespace) if has_namespace else observation.labels


class _Samples(Collector):
    """Gauges whose values are computed when they are read."""

    def __init__(
        self,
        sampler: Sampler,
        labels: Callable[[Metric], tuple[str, ...]],
        values: Callable[[Observation, str], tuple[str, ...]],
    ) -> None:
        self._sampler = sampler
        self._labels = labels
        self._values = values

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is known before it is read."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family for each metric that was sampled; values with the same labels are added up."""
        found: dict[Metric, dict[tuple[str, ...], float]] = {}
        for observation, namespace in self._sampler():
            if NAMESPACE in self._labels(observation.metric) and not namespace:
                continue  # a zero for the case that nothing else is told
            series = found.setdefault(observation.metric, {})
            values = self._values(observation, namespace)
            series[values] = series.get(values, 0.0) + observation.value
        for metric, samples in found.items():
            family = GaugeMetricFamily(metric.name, metric.help, labels=self._labels(metric))
            for values, value in samples.items():
                family.add_metric(values, value)
            yield family
