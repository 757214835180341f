import json
from pathlib import Path

from measure.report import Report, dumped, options, read, shown
from measure.samples import Summary, alternately, summarise


def a_report() -> Report:
    report = Report("dispatch", "bench/dispatch.py", {"created to pod": "Job", "burst": "Job"}, machine={}, loads=[0.5])
    report.add("created to pod", {"Job": [0.010, 0.012, 0.011], "ImageBuild": [0.022, 0.022, 0.022]})
    report.add("burst", {"Job": [120.0], "ImageBuild": [60.0]}, "/s", 1000)
    report.add("memory", {"ImageBuild": [91.25]}, "MiB")
    return report


def test_samples_are_summed_up_by_median_and_quartiles():
    assert summarise([1, 2, 3, 4, 5]) == Summary(3, 2, 4, None, 5)
    assert summarise([7]) == Summary(7, 7, 7, None, 1)


def test_the_slowest_percent_is_told_of_enough_samples_only():
    assert summarise([1.0] * 19).p99 is None
    assert summarise([1.0] * 20).p99 == 1.0


def test_cases_run_in_turn_and_the_warm_up_is_dropped():
    order: list[str] = []

    def case(name: str) -> float:
        order.append(name)
        return float(len(order))

    samples = alternately({"a": lambda: case("a"), "b": lambda: case("b")}, rounds=2)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert samples == {"a": [4.0, 5.0], "b": [3.0, 6.0]}


def test_a_ratio_says_how_much_worse_than_the_anchor_a_case_is():
    report = a_report()
    ratios = {(each.measure, each.case): report.ratio(each) for each in report.series}
    assert ratios == {
        ("created to pod", "Job"): None,
        ("created to pod", "ImageBuild"): 2.0,
        ("burst", "Job"): None,
        ("burst", "ImageBuild"): 2.0,
        ("memory", "ImageBuild"): None,
    }


def test_a_report_survives_its_json():
    report = a_report()
    text = dumped(report.document())
    assert read(json.loads(text)) == report
    assert max(map(len, text.splitlines())) < 300


def test_a_report_is_printed_with_ratios():
    line = " ".join(list(a_report().lines())[1].split())
    assert line == "created to pod ImageBuild 22 ms middle half 22 ms to 22 ms ratio 2.00"


def test_values_are_shown_in_units_of_their_size():
    values = [(0.0123, "s"), (1.234, "s"), (123.4, "s"), (51.26, "/s"), (12345.6, "MiB"), (3, "")]
    assert [shown(*each) for each in values] == ["12.3 ms", "1.23 s", "123 s", "51.3/s", "12,346 MiB", "3"]


def test_the_command_line_is_that_of_all_benchmarks(tmp_path: Path):
    found = options("What it measures.", ["--quick", "--json", str(tmp_path / "x.json")])
    assert found.quick
    assert found.json == tmp_path / "x.json"
