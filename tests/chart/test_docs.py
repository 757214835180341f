"""The values that the pages show, taken by the chart."""

import pytest
import yaml
from chart.render import Chart
from pages import YAML, Block, blocks, pages

VALUES = [block for page in pages() for block in blocks(page) if block.language in YAML and block.mark == "values"]


@pytest.mark.parametrize("block", VALUES, ids=lambda block: block.place)
def test_the_chart_takes_the_values(chart: Chart, block: Block):
    assert chart.render(yaml.safe_load(block.text))


def test_pages_show_values():
    assert VALUES
