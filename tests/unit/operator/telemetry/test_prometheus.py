"""The page of metrics, as Prometheus reads it and as its linter (promtool) judges names."""

import math
import re
from collections.abc import Iterator

import pytest
from imagebuild_operator.telemetry.counts import ENDINGS
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
from imagebuild_operator.telemetry.prometheus import Meters
from prometheus_client.parser import text_string_to_metric_families
from support.metrics import read_samples, value

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
    meters = Meters()
    meters.add([Observation(BUILDS_FINISHED, ("failed", "Internal")), Observation(IMAGE_SIZE, (), 5e6)], "team")
    meters.add([Observation(BUILDS_FINISHED, ("failed", "Internal"))], "other")
    meters.called("get", 404, 0.2)
    meters.called("get", None, 30)
    samples = read_samples(meters.page().decode())
    assert value(samples, BUILDS_FINISHED.name, result="failed", reason="Internal") == 2
    assert value(samples, "imagebuild_image_size_bytes_sum") == 5e6
    assert value(samples, "imagebuild_api_requests_total", verb="get", code="404") == 1
    assert value(samples, "imagebuild_api_requests_total", verb="get", code="error") == 1
    assert value(samples, "imagebuild_api_request_duration_seconds_count", verb="get") == 2


def test_every_metric_of_the_page_is_in_the_table_with_its_help():
    meters = Meters()
    described = {metric.name.removesuffix("_total"): metric.help for metric in TABLE}
    for family in text_string_to_metric_families(meters.page().decode()):
        if family.name.startswith("imagebuild_"):
            assert described[family.name] == family.documentation


def test_every_ending_has_a_series_before_the_first():
    samples = read_samples(Meters().page().decode())
    for result, reason in ENDINGS:
        assert value(samples, BUILDS_FINISHED.name, result=result, reason=reason) == 0


def test_namespaces_are_a_label_of_what_is_said_of_builds_alone():
    meters = Meters(namespaces=True)
    meters.add([Observation(BUILDS_FINISHED, ("succeeded", "")), Observation(RECONCILES, ("success",))], "team")
    samples = read_samples(meters.page().decode())
    assert value(samples, BUILDS_FINISHED.name, result="succeeded", reason="", namespace="team") == 1
    assert value(samples, RECONCILES.name, result="success") == 1


def test_gauges_are_asked_for_on_each_read():
    builds = ["team", "team", "other"]

    def sample() -> Iterator[tuple[Observation, str]]:
        for metric in (QUEUED, RUNNING):
            yield Observation(metric, (), 0.0), ""
        for namespace in builds:
            yield Observation(QUEUED), namespace

    together, apart = Meters(), Meters(namespaces=True)
    for meters in (together, apart):
        meters.sample(sample)
    assert value(read_samples(together.page().decode()), QUEUED.name) == 3
    assert value(read_samples(together.page().decode()), RUNNING.name) == 0
    assert value(read_samples(apart.page().decode()), QUEUED.name, namespace="team") == 2
    assert math.isnan(value(read_samples(apart.page().decode()), RUNNING.name))
    builds.clear()
    assert value(read_samples(together.page().decode()), QUEUED.name) == 0
    assert math.isnan(value(read_samples(apart.page().decode()), QUEUED.name, namespace="team"))
