"""What the shim refuses in tests/cases by itself; the standalone tests run the same cases in the builder image."""

import shutil
from pathlib import Path

import pytest
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.effective import make_effective
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.command_request import parse_request
from kaniko_shim.system.subcommand import Command
from support.expectations import OLD, SHIPPED, expected_of
from support.no_bases import NoBases
from support.paths import paths_below

CASES = Path(__file__).parents[5] / "cases"


SUPPORT = {OLD: Support(is_old=True), SHIPPED: Support()}


def fails(case: Path, executor: str) -> dict[str, object]:
    found: dict[str, object] = expected_of(case, executor).get("fails", {})
    return found


LATER = frozenset({"refused-copy-from-pipe"})
"""Refused when a stage has been built."""

REFUSED = [
    (path.parent.name, executor)
    for path in sorted(CASES.glob("*/expected.yaml"))
    for executor in SUPPORT
    if fails(path.parent, executor).get("reason") in {"DockerfileUnsupported", "SourceInvalid"}
    and path.parent.name not in LATER
]


@pytest.mark.parametrize(("name", "executor"), REFUSED)
def test_a_case_is_refused_as_it_says(name: str, executor: str, tmp_path: Path):
    shutil.copytree(CASES / name, tmp_path / "context", symlinks=True)
    if (CASES / name / "prepare").exists():
        pytest.skip("has files that are made when it runs")
    request = parse_request(Command.BUILD, {})
    assert isinstance(request, BuildRequest)
    paths = paths_below(tmp_path)
    with pytest.raises(JobError) as caught:
        make_effective(request, paths.context, SUPPORT[executor], paths, NoBases())
    failure = caught.value.failure
    shown = {
        "reason": str(failure.reason),
        "exitCode": failure.code,
        "message": failure.message,
        "dockerfileLine": failure.line,
        "instruction": failure.instruction,
        "hint": failure.hint,
    }
    expected = fails(CASES / name, executor)
    assert {key: shown[key] for key in expected} == expected
