"""Masking, lines, the command line, reasons, and where credentials are found."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.cli import CommandLine, parse_command_line, usage
from kaniko_shim.log.lines import LONGEST, OVERLAP, Lines
from kaniko_shim.log.masking import Masker, mask_url
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LINES, LogTail
from kaniko_shim.outcome.errors import CancelledError, Failure, JobError
from kaniko_shim.outcome.reasons import TABLE, Reason
from kaniko_shim.registry.credentials import explain_refusal, find_credentials, install_credentials
from kaniko_shim.registry.docker_config import DockerConfig
from kaniko_shim.request.variable import Command
from kaniko_shim.request.variables.table import TABLE as VARIABLES
from kaniko_shim.system.paths import Paths


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://user:pa:ss@h.example/x", "https://***@h.example/x"),
        ("fetch http://token@h/x now", "fetch http://***@h/x now"),
        ("https://h/x?X-Amz-Signature=abc&y=1", "https://h/x?X-Amz-Signature=***&y=1"),
        ("https://h/x?a=1&sig=abc%3D&token=t", "https://h/x?a=1&sig=***&token=***"),
        ("https://h/x?access_token=abc", "https://h/x?access_token=***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("mail me@h.example?x=1", "mail me@h.example?x=1"),
        ("https://h.example/a@b?design=1", "https://h.example/a@b?design=1"),
    ],
)
def test_urls_are_masked(text: str, masked: str):
    assert mask_url(text) == masked
    assert Masker().mask(text) == masked


def test_secrets_are_masked_whole_and_line_by_line():
    masker = Masker(["hunter2", "hunter22", "first line\nsecond line", "abc", ""])
    assert masker.mask("a hunter22 b hunter2 abc") == "a *** b *** abc"
    assert masker.mask("second line") == "***"


@given(st.text(min_size=4), st.text(), st.text())
def test_no_secret_survives(secret: str, before: str, after: str):
    if secret.strip() == secret and len(secret.splitlines()) == 1 and "*" not in secret:
        assert secret not in Masker([secret]).mask(before + secret + after)


@given(st.lists(st.binary(max_size=50)))
def test_lines_are_the_same_however_they_arrive(chunks: list[bytes]):
    whole = b"".join(chunks)
    got, expected = list[str](), list[str]()
    lines = Lines(got.append)
    for chunk in chunks:
        lines.feed(chunk)
    lines.end()
    at_once = Lines(expected.append)
    at_once.feed(whole)
    at_once.end()
    assert got == expected
    assert len(got) == whole.count(b"\n") + (not whole.endswith(b"\n") and bool(whole))


def test_an_endless_line_is_handed_on_in_parts():
    got = list[str]()
    lines = Lines(got.append)
    for _ in range(100):
        lines.feed(b"word " * 1000)
    lines.end()
    assert "".join(got) == "word " * 100_000
    assert max(map(len, got)) <= LONGEST + OVERLAP
    assert all(part.strip().endswith("word") for part in got)


def test_the_tail_holds_the_last_lines():
    tail = LogTail()
    for number in range(100):
        tail.add(f"{number} " + "x" * 1000)
    lines = tail.text.split("\n")
    assert (len(lines), lines[-1][:3], len(lines[-1])) == (LINES, "99 ", 400)


def test_the_command_line():
    assert parse_command_line([]) == CommandLine()
    assert parse_command_line(["build", "--output-image=r/a", "--no-push=true", "--dry-run"]) == CommandLine(
        Command.BUILD, {"OUTPUT_IMAGE": "r/a", "NO_PUSH": "true"}, dry_run=True
    )
    assert parse_command_line(["--help"]).help
    assert parse_command_line(["--version"]).version


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        ("--nosuch=1", "--nosuch is no flag"),
        ("deploy", "deploy is no flag or sub-command"),
        ("--target", "has no value"),
        ("--source-password=hunter2", "would show a secret"),
        ("--docker-config-json={}", "would show a secret"),
    ],
)
def test_wrong_arguments(argument: str, problem: str):
    with pytest.raises(JobError, match=problem) as caught:
        parse_command_line([argument])
    assert "hunter2" not in str(caught.value)


def test_the_usage_names_every_variable():
    assert [name for name in (variable.name for variable in VARIABLES) if name not in usage()] == []


def test_every_reason_has_a_row_and_an_exit_code_of_its_own():
    assert set(TABLE) == set(Reason)
    codes = [row.exit_code for row in TABLE.values()]
    assert len(set(codes)) == len(codes)
    assert all(row.cause.endswith(".") and row.hint.endswith(".") for row in TABLE.values())


def test_exit_codes_of_failures():
    assert Failure(Reason.DISK_FULL, "x").code == 82
    assert Failure(Reason.RUN_COMMAND_FAILED, "x", exit_code=7).code == 7
    assert CancelledError(15, "SIGTERM").failure.code == 143
    assert CancelledError(2, "SIGINT").failure.code == 130


def test_phases_measure():
    now = [100.0]
    phases = Phases(lambda: now[0])
    with phases.fetching():
        now[0] += 1.5
    phases.enter("pushing")
    now[0] += 2
    assert (phases.timings.fetch, phases.elapsed, phases.milliseconds()) == (1500, 2, 3500)


def test_where_credentials_are_found(tmp_path: Path):
    paths = Paths(scratch=tmp_path / "run", docker_config=tmp_path / "mounted")
    home = tmp_path / "home"
    environment = {"HOME": str(home)}
    assert find_credentials(None, environment, paths) is None
    for directory, name in ((home / ".docker", "home"), (paths.docker_config, "mounted"), (tmp_path / "own", "own")):
        directory.mkdir(parents=True)
        (directory / "config.json").write_text(json.dumps({"auths": {name: {}}}))
    assert find_credentials(None, environment, paths) == DockerConfig({"mounted": {}})
    environment["DOCKER_CONFIG"] = str(tmp_path / "own")
    assert find_credentials(None, environment, paths) == DockerConfig({"own": {}})
    assert find_credentials(DockerConfig({"given": {}}), environment, paths) == DockerConfig({"given": {}})
    (tmp_path / "own" / "config.json").write_text("s3cret")
    with pytest.raises(JobError, match="is not usable") as caught:
        find_credentials(None, environment, paths)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("reason", "registry", "hint"),
    [
        (
            Reason.REGISTRY_UNAUTHORIZED,
            "r.example",
            "has no credentials for r.example: add an entry",
        ),
        (
            Reason.REGISTRY_UNAUTHORIZED,
            "known.example",
            "are not accepted there: check that they are valid",
        ),
        (Reason.BASE_IMAGE_UNAUTHORIZED, "known.example", "pull that image"),
        (
            Reason.BASE_IMAGE_UNAUTHORIZED,
            "index.docker.io",
            "entry https://index.docker.io/v1/ to its auths. Check",
        ),
        (Reason.DISK_FULL, "r.example", "more ephemeral storage"),
    ],
)
def test_a_refusal_is_explained(reason: Reason, registry: str, hint: str):
    config = DockerConfig({"https://known.example/v2": {"auth": "x"}})
    assert hint in explain_refusal(Failure(reason, "x", registry=registry), config).advice


def test_credentials_are_installed_without_helpers_that_are_not_here(tmp_path: Path):
    said = list[str]()
    paths = Paths(scratch=tmp_path)
    install_credentials(DockerConfig({"a": {"auth": "dTpw"}}, {}, "desktop"), paths, said.append)
    assert json.loads((paths.credentials / "config.json").read_text()) == {"auths": {"a": {"auth": "dTpw"}}}
    assert said == [
        "The Docker config names credential helpers that are not here, and are left out: desktop.",
    ]
