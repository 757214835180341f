"""The command line of kaniko-shim."""

import pytest
from kaniko_shim.cli import CommandLine, parse_command_line, usage
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.request.variables.table import TABLE as VARIABLES
from kaniko_shim.system.subcommand import Command


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
        ("--nosuch=1", "--nosuch is not a flag"),
        ("deploy", "deploy is not a flag or sub-command"),
        ("--target", "has no value"),
        ("--source-password=hunter2", "would expose a secret"),
        ("--docker-config-json={}", "would expose a secret"),
    ],
)
def test_wrong_arguments(argument: str, problem: str):
    with pytest.raises(JobError, match=problem) as caught:
        parse_command_line([argument])
    assert "hunter2" not in str(caught.value)


def test_the_usage_names_every_variable():
    assert [name for name in (variable.name for variable in VARIABLES) if name not in usage()] == []
