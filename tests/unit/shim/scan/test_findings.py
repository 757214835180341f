"""What counts of what a scanner has found, and that nothing else than its report counts as an image without."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.scan.findings import Finding, Gate, Severity, has_system, predicate, read_report
from kaniko_shim.scan.handover import LARGEST, NAME, Scanned, hand_over, take_over

if TYPE_CHECKING:
    from collections.abc import Callable

DIGEST = "sha256:" + "a" * 64


def entry(name: str, severity: str = "HIGH", fixed: str = "2", package: str = "p") -> dict[str, Any]:
    return {
        "VulnerabilityID": name,
        "PkgName": package,
        "InstalledVersion": "1",
        "Severity": severity,
        **({"FixedVersion": fixed} if fixed else {}),
    }


def report(*entries: object) -> dict[str, Any]:
    return {
        "SchemaVersion": 2,
        "Trivy": {"Version": "0.74.0"},
        "Metadata": {},
        "Results": [{"Target": "x"}, {"Vulnerabilities": list(entries)}],
    }


def test_the_worst_come_first_and_the_first_five_are_named():
    found = read_report(report(*(entry(f"CVE-{number}") for number in range(6)), entry("CVE-9", "CRITICAL", "")))
    gate = Gate(Severity.HIGH)
    stopping = gate.stopped_by(found)
    assert [each.name for each in stopping] == ["CVE-9", *(f"CVE-{number}" for number in range(6))]
    told = gate.refusal(stopping)
    assert told.startswith(
        "The image has 7 vulnerabilities of severity High or higher: CVE-9 in p 1 (Critical, not fix"
    )
    assert told.endswith("CVE-3 in p 1 (High, fixed in 2); and 2 more.")
    assert gate.refusal(stopping[:1]).startswith("The image has 1 vulnerability of severity High or higher: CVE-9 in")


@pytest.mark.parametrize(
    ("gate", "names"),
    [
        (Gate(Severity.LOW), ["critical", "high", "low"]),
        (Gate(Severity.CRITICAL), ["critical"]),
        (Gate(Severity.LOW, only_fixed=True), ["critical", "low"]),
        (Gate(Severity.LOW, ignored={"critical", "low"}), ["high"]),
        (Gate(Severity.UNKNOWN), ["critical", "high", "low", "new"]),
    ],
)
def test_what_counts(gate: Gate, names: list[str]):
    entries = [entry("low", "LOW"), entry("high", fixed=""), entry("critical", "CRITICAL"), entry("new", "BAD")]
    assert [each.name for each in gate.stopped_by(read_report(report(*entries)))] == names


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"SchemaVersion": 1, "Metadata": {}},
        {"SchemaVersion": 2},
        {"SchemaVersion": 2, "Metadata": {}, "Results": [{"Vulnerabilities": [{"PkgName": "p"}]}]},
        {"SchemaVersion": 2, "Metadata": {}, "Results": [7]},
        {"SchemaVersion": 2, "Metadata": {}, "Results": 7},
    ],
)
def test_what_is_no_report_is_not_taken_for_one_without_vulnerabilities(bad: dict[str, Any]):
    with pytest.raises(ValueError, match=r"it (is no report of Trivy|has an entry)"):
        read_report(bad)


def test_an_unknown_operating_system_is_told_from_one_without_vulnerabilities():
    unknown: tuple[dict[str, Any], ...] = ({}, {"OS": {"Family": "none"}})
    assert not any(has_system({**report(), "Metadata": each}) for each in unknown)
    assert has_system({**report(), "Metadata": {"OS": {"Family": "debian", "Name": "12.5"}}})


def test_the_predicate_has_all_that_was_found():
    said = report(entry("a"), entry("a"), entry("b", "LOW", ""))
    found = read_report(said)
    made: dict[str, Any] = predicate(said, found, "2026-12-01T00:00:00Z", "start", "end")
    assert found == [Finding("a", "p", "1", Severity.HIGH, "2"), Finding("b", "p", "1", Severity.LOW)]
    assert made["scanner"] == {
        "uri": "https://github.com/aquasecurity/trivy",
        "version": "0.74.0",
        "db": {"lastUpdate": "2026-12-01T00:00:00Z"},
        "result": [
            {
                "id": "a",
                "severity": [{"method": "trivy", "score": "HIGH"}],
                "annotations": [{"package": "p", "version": "1", "fixed": "2"}],
            },
            {
                "id": "b",
                "severity": [{"method": "trivy", "score": "LOW"}],
                "annotations": [{"package": "p", "version": "1"}],
            },
        ],
    }
    assert made["metadata"] == {"scanStartedOn": "start", "scanFinishedOn": "end"}


@pytest.mark.shows("A67")
def test_push_takes_over_only_what_is_about_its_own_image(tmp_path: Path):
    for content in (
        None,
        "",
        "{}",
        "[]",
        "7",
        json.dumps({"digest": DIGEST}),
        json.dumps({"digest": 1, "predicate": {}}),
    ):
        if content is not None:
            (tmp_path / NAME).write_text(content)
        with pytest.raises(JobError) as caught:
            take_over(tmp_path, DIGEST)
        assert caught.value.failure.reason is Reason.SCAN_FAILED
    scanned = Scanned(DIGEST, {"scanner": {}}, {"packages": []})
    hand_over(tmp_path, scanned)
    assert take_over(tmp_path, DIGEST) == scanned
    with pytest.raises(JobError, match="Another image was scanned"):
        take_over(tmp_path, "sha256:" + "b" * 64)


@pytest.mark.shows("A67")
def test_push_follows_no_link_waits_for_no_pipe_and_reads_nothing_without_an_end(tmp_path: Path):
    elsewhere, place = tmp_path / "elsewhere", tmp_path / NAME
    hand_over(tmp_path, Scanned(DIGEST, {}))
    place.rename(elsewhere)
    makes: dict[str, Callable[[], object]] = {
        "symbolic links": lambda: place.symlink_to(elsewhere),
        "no file": lambda: os.mkfifo(place),
        "larger than": lambda: os.truncate(os.open(place, os.O_CREAT | os.O_WRONLY), LARGEST + 1),
    }
    for problem, make in makes.items():
        make()
        with pytest.raises(JobError, match=problem):
            take_over(tmp_path, DIGEST)
        place.unlink()
    with pytest.raises(JobError, match="larger than"):
        hand_over(tmp_path, Scanned(DIGEST, {"result": "x" * LARGEST}))
