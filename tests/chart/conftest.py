"""Rendering the chart with the real Helm."""

import pytest
from chart.helm import CHART, find_helm
from chart.render import Chart


@pytest.fixture(scope="session")
def chart() -> Chart:
    """The project's chart, and a Helm to render it."""
    return Chart(find_helm(), CHART)
