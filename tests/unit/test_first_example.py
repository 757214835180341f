"""The first build that a newcomer runs is the same in README, quick start, notes of the chart, and examples."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
EXAMPLE = yaml.safe_load((ROOT / "examples" / "hello.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["README.md", "docs/start/kind.md"])
def test_the_first_manifest_of_a_page_is_the_first_example(name: str):
    page = (ROOT / name).read_text(encoding="utf-8")
    first = re.search(r"```yaml.*\n([^`]*)```", page)
    assert first
    assert yaml.safe_load(first[1]) == EXAMPLE


def test_the_chart_prints_the_first_example_when_it_is_installed():
    notes = (ROOT / "charts/imagebuild-operator/templates/NOTES.txt").read_text(encoding="utf-8")
    [manifest] = re.findall(r"<<'EOF'\n(.*?)\nEOF\n", notes, re.DOTALL)
    assert yaml.safe_load(manifest) == EXAMPLE
