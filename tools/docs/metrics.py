"""Generates docs/reference/metrics.md from the operator's table of metrics."""

from imagebuild_operator.telemetry.metrics import TABLE, Metric

HEAD = """\
# Metrics

<!-- Generated from operator/imagebuild_operator/telemetry/metrics.py by tools/docs/metrics.py. -->

This page lists the metrics that the operator serves at `/metrics`, on the port in the chart's `metrics.port`. With
`metrics.namespaceLabels`, the metrics on builds also have the label `build_namespace`. The operator also serves the
usual metrics of a process (`process_resident_memory_bytes` and others). [Operations](../how-to/operations.md)
explains how builds are counted, and has the alerts.
"""

TITLES = {True: "On builds", False: "On the operator"}


def render() -> str:
    """The page."""
    parts = [HEAD]
    for of_builds, title in TITLES.items():
        parts += [f"\n## {title}\n", "| metric | kind | labels | meaning |", "|---|---|---|---|"]
        parts += [_row(metric) for metric in TABLE if metric.of_builds is of_builds]
    return "\n".join(parts) + "\n"


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |"
