import xml.etree.ElementTree as ET

import pytest
from measure.page import block, plots
from measure.plot import Axis, Point, chart
from measure.report import Report

SVG = "{http://www.w3.org/2000/svg}"
MACHINE = {"cpu": "CPU", "cores": 2, "memory": "24 GiB", "kernel": "6.1", "python": "3.11", "commit": "abc"}


def a_report() -> Report:
    report = Report("dispatch", "bench/dispatch.py", {"burst": "Job"}, machine=MACHINE, loads=[0.5, 0.7])
    for size, rate in ((10, 50.0), (1000, 60.0)):
        report.add("burst", {"Job": [2 * rate], "ImageBuild": [rate]}, "/s", size)
    report.add("created to pod", {"ImageBuild": [0.02, 0.03, 0.04]})
    return report


def test_a_block_has_a_table_the_plots_and_how_it_was_made():
    lines = block(a_report(), "assets/bench").splitlines()
    assert lines[2] == "| burst (10) | Job | 100/s |  |  | anchor |"
    assert lines[3] == "| burst (10) | ImageBuild | 50/s |  |  | 2.00 |"
    assert lines[6] == "| created to pod | ImageBuild | 30 ms | 25 ms to 35 ms |  |  |"
    assert "![burst](assets/bench/dispatch-burst.svg)" in lines
    assert lines[-1].startswith("`bench/dispatch.py`, ")
    assert "load average before and after: 0.5, 0.7; CPU, 2 cores, 24 GiB, Linux 6.1, Python 3.11." in lines[-1]


def test_the_requests_for_a_build_are_listed():
    report = a_report()
    report.context["requests"] = {"PATCH imagebuilds/status": 3.0, "POST pods": 1.002}
    assert "Requests for a build: 3 PATCH imagebuilds/status, 1 POST pods." in block(report, "x").splitlines()


def test_what_was_measured_for_several_sizes_is_plotted():
    assert list(plots(a_report())) == ["dispatch-burst.svg"]


def test_a_plot_has_a_line_and_a_name_for_each_case():
    root = ET.fromstring(plots(a_report())["dispatch-burst.svg"])
    assert len(root.findall(f"{SVG}polyline")) == 2
    texts = [each.text for each in root.findall(f"{SVG}text")]
    assert {"burst", "builds", "Job", "ImageBuild"} <= set(texts)


def test_labels_of_lines_that_end_at_one_place_do_not_cover_each_other():
    drawn = chart("t", "x", "s", {name: [Point(1, 5, 5, 5), Point(9, 5, 5, 5)] for name in ("a", "b")})
    found = [each for each in ET.fromstring(drawn).findall(f"{SVG}text") if each.text in {"a", "b"}]
    first, second = (float(each.attrib["y"]) for each in found)
    assert second - first >= 12


def test_names_in_a_plot_are_text():
    drawn = chart("<script>", "&", "s", {"<b>": [Point(1, 1, 1, 1)]})
    assert ET.fromstring(drawn).findall(f".//{SVG}b") == []


@pytest.mark.parametrize(
    ("axis", "values"),
    [
        (Axis(0, 100, 0, 200), [(0, 0), (50, 100), (100, 200)]),
        (Axis(10, 1000, 0, 200, logarithmic=True), [(0, 0), (10, 0), (100, 100), (1000, 200)]),
    ],
)
def test_an_axis_places_values(axis: Axis, values: list[tuple[float, float]]):
    assert [axis.at(value) for value, _ in values] == [place for _, place in values]


@pytest.mark.parametrize("high", [0.004, 0.07, 1, 3, 9.9, 42, 77.5, 130, 999, 54_000])
def test_an_axis_has_some_round_ticks(high: float):
    ticks = Axis(0, high, 0, 100).ticks()
    assert 2 <= len(ticks) <= 8
    assert ticks[0] == 0
    assert all(0 <= tick <= high * 1.001 for tick in ticks)
