from pathlib import Path

import pytest
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.effective import EffectiveDockerfile, make_effective
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.command_request import parse_request
from kaniko_shim.system.subcommand import Command
from support.no_bases import NoBases
from support.paths import paths_below


def effective(tmp_path: Path, dockerfile: str, support: Support, **variables: str) -> EffectiveDockerfile:
    paths = paths_below(tmp_path)
    paths.context.mkdir()
    request = parse_request(Command.BUILD, {"DOCKERFILE_CONTENT": dockerfile, **variables})
    assert isinstance(request, BuildRequest)
    return make_effective(request, paths.context, support, paths, NoBases())


NOT_NEEDED = "FROM x AS a\nRUN 1\nFROM x AS b\nRUN --mount=type=ssh 2\nFROM a AS c\nRUN 3\nFROM x\nADD --unpack u /v\n"


def test_instructions_that_are_never_built_are_neither_refused_nor_passed_on(tmp_path: Path):
    made = effective(tmp_path, NOT_NEEDED, Support(is_old=True), TARGET="c")
    assert [step.instruction for step in made.steps.steps] == ["FROM x AS a", "RUN 1", "FROM a AS c", "RUN 3"]
    assert made.path.read_text().split() == ["FROM", "x", "AS", "a", "RUN", "1", "FROM", "a", "AS", "c", "RUN", "3"]
    assert made.request.target == ""


@pytest.mark.parametrize(("support", "target", "line"), [(Support(is_old=True), "b", 4), (Support(), "", 8)])
def test_instructions_that_are_built_are_refused(tmp_path: Path, support: Support, target: str, line: int):
    with pytest.raises(JobError) as caught:
        effective(tmp_path, NOT_NEEDED, support, TARGET=target)
    assert (caught.value.failure.reason, caught.value.failure.line) == (Reason.DOCKERFILE_UNSUPPORTED, line)


def test_a_platform_may_have_a_default(tmp_path: Path):
    text = "ARG PLAIN=linux/amd64\nFROM --platform=${BUILDPLATFORM:-linux/arm64} x\nFROM --platform=$PLAIN y\n"
    assert effective(tmp_path, text, Support()).warnings == ()


def test_bytes_that_are_no_text_stay_as_they_are(tmp_path: Path):
    (tmp_path / "context").mkdir()
    (tmp_path / "context/Dockerfile").write_bytes(b"FROM x\nCOPY <<E /y\n\xff\nE\nEXPOSE 1-2\nRUN \xfe\n")
    paths = paths_below(tmp_path)
    request = parse_request(Command.BUILD, {})
    assert isinstance(request, BuildRequest)
    made = make_effective(request, paths.context, Support(is_old=True), paths, NoBases())
    assert b"\nEXPOSE 1/tcp 2/tcp\nRUN \xfe\n" in made.path.read_bytes()
    (heredoc,) = paths.heredocs.glob("*/E")
    assert heredoc.read_bytes() == b"\xff\n"
