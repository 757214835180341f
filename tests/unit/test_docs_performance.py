"""docs/performance.md shows what the benchmarks have measured."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools" / "docs"))

import performance  # noqa: E402
from run import BENCHMARKS  # noqa: E402


def test_the_page_has_a_place_for_each_benchmark():
    text = (ROOT / performance.PAGE).read_text(encoding="utf-8")
    places = [match["name"] for match in performance.BLOCK.finditer(text)]
    assert sorted(places) == sorted(each.name for each in BENCHMARKS)


def test_each_benchmark_is_a_script_of_its_own():
    assert [each.name for each in BENCHMARKS if not each.script.is_file()] == []


def test_no_plot_is_left_over():
    there = {f"{performance.PLOTS}/{file.name}" for file in (ROOT / performance.PLOTS).glob("*")}
    assert there == set(performance.plots())
