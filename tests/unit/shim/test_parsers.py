"""Every parser takes any text: it reads it, or says what is wrong, and nothing else happens."""

import ast
from collections.abc import Callable
from pathlib import Path

import kaniko_shim
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kaniko_shim.cli import parse_command_line
from kaniko_shim.dockerfile.assignments import argument_words, names_and_values
from kaniko_shim.dockerfile.flags import split_command
from kaniko_shim.dockerfile.mounts import parse_mount
from kaniko_shim.dockerfile.parse import parse_dockerfile, parse_heredoc
from kaniko_shim.dockerfile.shell_words import expand, split_quoted_words, split_words
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.dockerignore.find import pattern_rules
from kaniko_shim.engines.kaniko.adapt.capabilities import read_platform
from kaniko_shim.engines.kaniko.executor.abilities import read_abilities
from kaniko_shim.engines.kaniko.executor.record import parse_record, parts_of
from kaniko_shim.oci.platform import Platform
from kaniko_shim.oci.whiteouts import parse_whiteout
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.registry_answer import parse_answer
from kaniko_shim.registry.references import parse_mirror, parse_reference, parse_registry
from kaniko_shim.request.command_request import parse_request
from kaniko_shim.request.scalars import split_origins
from kaniko_shim.request.variables.table import TABLE
from kaniko_shim.sources.git.known_hosts import parse_known_hosts
from kaniko_shim.sources.git.remotes import parse_remote
from kaniko_shim.system.subcommand import Command

ENVIRONMENTS = st.dictionaries(st.sampled_from([variable.name for variable in TABLE]), st.text(max_size=40), max_size=6)
# Text that looks like what is parsed comes further than letters by chance do.
PIECES = st.sampled_from(
    [
        *(
            "https://",
            "git@",
            "oci://",
            "s3://",
            "dir:///",
            "data:",
            ";base64,",
            "//",
            "/",
            ":",
            "@",
            "#",
            "?",
            "=",
            ",",
        ),
        *(
            ";",
            "[",
            "]",
            "{",
            "}",
            '"',
            "'",
            "\\",
            "`",
            "$",
            "${",
            "%",
            "%zz",
            "%2e",
            "..",
            "\n",
            "\r\n",
            "\t",
            " ",
            "\0",
        ),
        *("a", "A", "0", "65536", "-1", "1h", "true", "sha256:", "e" * 64, "amd64", "é", "\udc80", "\u2028", "--", "-"),
        *("FROM", "RUN", "COPY", "ADD", "<<EOF", "EOF", "ONBUILD", "# escape=`", "AS", "!", "*", "ssh-ed25519", "AAAA"),
    ]
)
TEXTS = st.text(max_size=60) | st.lists(PIECES, max_size=12).map("".join)

PARSERS: dict[str, Callable[[str], object]] = {
    **{variable.name: variable.parse for variable in TABLE},
    "parse_reference": parse_reference,
    "parse_registry": parse_registry,
    "parse_mirror": parse_mirror,
    "parse_remote": parse_remote,
    "parse_known_hosts": parse_known_hosts,
    "read_abilities": read_abilities,
    "parse_dockerfile": lambda text: split_stages(parse_dockerfile(text.encode("utf-8", "surrogateescape"))),
    "pattern_rules": lambda text: pattern_rules(text.split("\n"), "f").ignoring("a/b"),
    "parse_heredoc": parse_heredoc,
    "split_command": lambda text: split_command(text, "\\"),
    "split_origins": lambda text: split_origins(text, "NAME", lambda _name, _shown: None),
    "split_words": split_words,
    "split_quoted_words": split_quoted_words,
    "expand": lambda text: expand(text, {"a": "1", "A": ""}),
    "argument_words": argument_words,
    "names_and_values": names_and_values,
    "parse_mount": lambda text: parse_mount(text, {"a": "1"}),
    "read_platform": lambda text: read_platform(text, Platform("linux", "amd64")),
    "parse_whiteout": parse_whiteout,
    "parse_answer": parse_answer,
    "parts_of": parts_of,
    "parse_record": parse_record,
    "parse_command_line": lambda text: parse_command_line(text.split(" ")),
}


def outcome_of(name: str, text: str) -> str:
    try:
        PARSERS[name](text)
    except (ValueError, JobError) as error:
        return str(error)
    return "read"


@pytest.mark.parametrize("name", PARSERS)
@given(text=TEXTS)
def test_any_text_is_read_or_refused(name: str, text: str):
    assert outcome_of(name, text)


@pytest.mark.parametrize("name", PARSERS)
def test_nesting_without_end_is_read_or_refused(name: str):
    for begin, nested in (("", "["), ("", '{"a":'), ('{"auths":', "["), ("RUN ", "["), ("FROM ", "${a:-")):
        assert outcome_of(name, begin + nested * 5_000)


@given(st.sampled_from(Command), ENVIRONMENTS)
def test_any_variables_are_a_request_or_refused(command: Command, environment: dict[str, str]):
    try:
        request = parse_request(command, environment)
    except JobError as error:
        outcome: object = error.failure.reason
    else:
        outcome = request.command
    assert outcome in {command, Reason.INVALID_SPEC}


def test_every_parser_is_here():
    used = {variable.parse.__name__ for variable in TABLE}
    here = (
        used
        | set(PARSERS)
        | {"parse_request", "parse_lines", "split_lines", "split_list", "split_stages", "parse_output"}
    )
    # It splits no text.
    here |= {"split_adds"}
    found = {
        node.name
        for path in Path(kaniko_shim.__file__).parent.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith(("parse_", "read_abilities", "split_"))
    }
    assert found - here == set()
