"""Parsing of metrics in Prometheus' text format."""

import math

from prometheus_client.parser import text_string_to_metric_families

#: Values by the name of the sample and its labels: `("x_total", (("result", "failed"),))`.
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read_samples(page: str) -> Samples:
    """Parse a page of metrics."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """The value of one series; NaN if there is none."""
    return samples.get((name, tuple(sorted(labels.items()))), math.nan)
