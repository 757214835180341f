"""Kubernetes' notation of time."""

from datetime import UTC, datetime

import pytest
from imagebuild_operator.api.time import duration, format_time, milliseconds, parse_time


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (-3, "0s"), (59.4, "59s"), (83, "1m23s"), (3600, "1h00m"), (7500, "2h05m")]
)
def test_durations_read_like_kubectls(seconds: float, text: str):
    assert duration(seconds) == text


def test_times_are_kubernetes_own():
    moment = datetime(2026, 11, 24, 8, 0, 1, tzinfo=UTC)
    assert parse_time(format_time(moment)) == moment
    assert parse_time(None) is None
    assert milliseconds(moment, parse_time("2026-11-24T08:00:00Z")) == 0
    assert milliseconds(None, moment) is None
