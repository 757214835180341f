"""The page of metrics, as Prometheus reads it and as its linter (promtool) judges names."""

import re

import pytest
from imagebuild_operator.telemetry.counts import ENDINGS, queued_and_running
from imagebuild_operator.telemetry.metrics import (
    BUILDS_FINISHED,
    IMAGE_SIZE,
    QUEUED,
    RECONCILES,
    RUNNING,
    TABLE,
    Kind,
    Metric,
    Observation,
)
from imagebuild_operator.telemetry.prometheus import IDLE, Metrics
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from support.builds import a_build
from support.metrics import Samples, read_samples, value

BASE_UNITS = ("_seconds", "_bytes", "_info")
#: Units that have a base unit, and words that Prometheus adds by itself: promtool refuses both.
REFUSED = re.compile(r"_(milliseconds|ms|minutes|hours|kilobytes|megabytes|mb|percent|count|sum|bucket)\b")


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.name)
def test_names_and_help_follow_the_conventions(metric: Metric):
    assert re.fullmatch(r"imagebuild_[a-z]+(_[a-z]+)*", metric.name)
    assert not REFUSED.search(metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert metric.help.endswith(".")
    assert str(metric.kind) not in metric.name
    assert not set(metric.labels) & {"le", "quantile", "job", "instance", "namespace"}
    assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
    assert list(metric.buckets) == sorted(set(metric.buckets))
    if metric.kind is Kind.HISTOGRAM:
        assert metric.name.endswith(BASE_UNITS)


def test_the_table_names_each_metric_once():
    assert len({metric.name for metric in TABLE}) == len(TABLE)


def test_the_page_holds_what_was_observed():
    metrics = Metrics()
    metrics.add([Observation(BUILDS_FINISHED, ("failed", "Internal")), Observation(IMAGE_SIZE, (), 5e6)], "team")
    metrics.add([Observation(BUILDS_FINISHED, ("failed", "Internal"))], "other")
    metrics.count_request("get", 404, 0.2)
    metrics.count_request("get", None, 30)
    samples = scrape(metrics)
    assert value(samples, BUILDS_FINISHED.name, result="failed", reason="Internal") == 2
    assert value(samples, "imagebuild_image_size_bytes_sum") == 5e6
    assert value(samples, "imagebuild_api_requests_total", verb="get", code="404") == 1
    assert value(samples, "imagebuild_api_requests_total", verb="get", code="error") == 1
    assert value(samples, "imagebuild_api_request_duration_seconds_count", verb="get") == 2


def test_every_metric_of_the_page_is_in_the_table_with_its_help():
    metrics = Metrics()
    described = {metric.name.removesuffix("_total"): metric.help for metric in TABLE}
    for family in text_string_to_metric_families(generate_latest(metrics.registry).decode()):
        if family.name.startswith("imagebuild_"):
            assert described[family.name] == family.documentation


def test_every_series_is_there_before_its_first_event():
    samples = scrape(Metrics())
    for result, reason in ENDINGS:
        assert value(samples, BUILDS_FINISHED.name, result=result, reason=reason) == 0
    assert value(samples, "imagebuild_build_phase_duration_seconds_count", phase="built") == 0
    assert value(samples, "imagebuild_attempts_finished_total", reason="Evicted") == 0
    assert value(samples, "imagebuild_reconciles_total", result="error") == 0


def test_namespaces_are_a_label_of_metrics_on_builds_only():
    metrics = Metrics(namespaces=True)
    metrics.add([Observation(BUILDS_FINISHED, ("succeeded", "")), Observation(RECONCILES, ("success",))], "team")
    samples = scrape(metrics)
    assert value(samples, BUILDS_FINISHED.name, result="succeeded", reason="", build_namespace="team") == 1
    assert value(samples, RECONCILES.name, result="success") == 1


def test_gauges_are_sampled_on_each_scrape():
    builds = [(a_build(), False), (a_build(), False), (a_build(namespace="other"), True)]
    together, apart = Metrics(), Metrics(namespaces=True)
    for metrics in (together, apart):
        metrics.sample(lambda: queued_and_running(builds))
    assert value(scrape(together), QUEUED.name) == 2
    assert value(scrape(together), RUNNING.name) == 1
    assert value(scrape(apart), QUEUED.name, build_namespace="team") == 2
    assert value(scrape(apart), RUNNING.name, build_namespace="other") == 1
    builds.clear()
    assert value(scrape(together), QUEUED.name) == 0
    assert not of_namespace(scrape(apart), "team") & {QUEUED.name, RUNNING.name}


def test_a_namespace_in_which_nothing_runs_has_a_series_that_says_so():
    metrics = Metrics(namespaces=True)
    metrics.sample(lambda: queued_and_running([(a_build(), False)]))
    assert value(scrape(metrics), RUNNING.name, build_namespace="team") == 0
    metrics = Metrics(namespaces=True)
    metrics.sample(lambda: queued_and_running([(a_build({"suspend": True}), False)]))
    assert value(scrape(metrics), QUEUED.name, build_namespace="team") == 0


def test_every_series_of_a_namespace_is_there_before_its_first_event():
    apart, together = Metrics(namespaces=True), Metrics()
    apart.add([], "team")
    expected = {
        (name, tuple(sorted((*labels, ("build_namespace", "team")))))
        for name, labels in scrape(together)
        if any(metric.of_builds and name.startswith(metric.name) for metric in TABLE)
    }
    assert expected <= scrape(apart).keys()


def test_series_of_a_namespace_without_unfinished_builds_go_away():
    now, builds = 0.0, [(a_build(), True)]
    metrics = Metrics(namespaces=True, clock=lambda: now)
    metrics.sample(lambda: queued_and_running(builds))
    for namespace in ("team", "other"):
        metrics.add([Observation(IMAGE_SIZE, (), 5e6)], namespace)
    metrics.add([Observation(RECONCILES, ("success",))])
    now = IDLE
    assert of_namespace(scrape(metrics), "other")
    now = IDLE + 1
    samples = scrape(metrics)
    assert not of_namespace(samples, "other")
    assert of_namespace(samples, "team") >= {BUILDS_FINISHED.name, RUNNING.name}
    assert value(samples, RECONCILES.name, result="success") == 1
    builds.clear()
    now += IDLE + 1
    assert not of_namespace(scrape(metrics), "team")
    metrics.add([Observation(BUILDS_FINISHED, ("succeeded", ""))], "team")
    assert value(scrape(metrics), BUILDS_FINISHED.name, result="succeeded", reason="", build_namespace="team") == 1


def scrape(metrics: Metrics) -> Samples:
    return read_samples(generate_latest(metrics.registry).decode())


def of_namespace(samples: Samples, namespace: str) -> set[str]:
    """The names of the series of one namespace."""
    return {name for name, labels in samples if ("build_namespace", namespace) in labels}
