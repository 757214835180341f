"""What the shim refuses in tests/cases by itself; the standalone tests run the same cases in the builder image."""

import shutil
from pathlib import Path

import pytest
import yaml
from kaniko_shim.dockerfile.base_images import NoBases
from kaniko_shim.dockerfile.capabilities import Support
from kaniko_shim.dockerfile.effective import make_effective
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.command_request import parse_request
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.subcommand import Command

CASES = Path(__file__).parents[3] / "cases"


def fails(case: Path) -> dict[str, object]:
    expected = yaml.safe_load((case / "expected.yaml").read_text(encoding="utf-8"))
    found: dict[str, object] = expected.get("fails", {})
    return found


REFUSED = [
    path.parent.name
    for path in sorted(CASES.glob("*/expected.yaml"))
    if fails(path.parent).get("reason") in {"DockerfileUnsupported", "SourceInvalid"}
]


@pytest.mark.parametrize("name", REFUSED)
def test_a_case_is_refused_as_it_says(name: str, tmp_path: Path):
    shutil.copytree(CASES / name, tmp_path / "context", symlinks=True)
    if (CASES / name / "prepare").exists():
        pytest.skip("has files that are made when it runs")
    request = parse_request(Command.BUILD, {})
    assert isinstance(request, BuildRequest)
    paths = Paths(context=tmp_path / "context", heredocs=tmp_path / "heredocs", scratch=tmp_path)
    with pytest.raises(JobError) as caught:
        make_effective(request, paths.context, Support(), paths, NoBases())
    failure = caught.value.failure
    shown = {
        "reason": str(failure.reason),
        "exitCode": failure.code,
        "message": failure.message,
        "dockerfileLine": failure.line,
        "instruction": failure.instruction,
        "hint": failure.hint,
    }
    assert {key: shown[key] for key in fails(CASES / name)} == fails(CASES / name)
