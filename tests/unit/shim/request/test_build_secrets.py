from base64 import b64encode

import pytest
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.build_secrets import BuildSecret, read_build_secrets
from kaniko_shim.request.command_request import parse_request, secrets_of
from kaniko_shim.request.variables.build_variables import BUILD_SECRET_FROM
from kaniko_shim.system.subcommand import Command


def found(**environment: str) -> list[BuildSecret | str]:
    origins = BUILD_SECRET_FROM.parse(environment.get("BUILD_SECRET_FROM", ""))
    return list(read_build_secrets(environment, origins))


def test_a_value_is_any_bytes_in_base64():
    assert found(BUILD_SECRET_npm=b64encode(b"\0\xff\n").decode()) == [BuildSecret("npm", b"\0\xff\n")]


def test_padding_and_line_breaks_do_not_matter():
    assert found(BUILD_SECRET_a="YW\nI", **{"BUILD_SECRET_b.c-d": "YWI=\n"}) == [
        BuildSecret("a", b"ab"),
        BuildSecret("b.c-d", b"ab"),
    ]


def test_another_variable_gives_the_value_as_it_is():
    assert found(BUILD_SECRET_FROM="npm=TOKEN,empty=EMPTY", TOKEN=" a b\n", EMPTY="") == [
        BuildSecret("npm", b" a b\n"),
        BuildSecret("empty", b""),
    ]


def test_the_named_variable_may_itself_begin_like_a_secret():
    assert found(BUILD_SECRET_FROM="npm=BUILD_SECRET_VALUE_0", BUILD_SECRET_VALUE_0="raw") == [
        BuildSecret("npm", b"raw")
    ]


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"BUILD_SECRET_npm": "hunter2!"}, "BUILD_SECRET_npm: write the value in base64"),
        ({"BUILD_SECRET_a/b": "YWI="}, "BUILD_SECRET_a/b: an id has at most 128 letters"),
        ({"BUILD_SECRET_": "YWI="}, "BUILD_SECRET_: an id has"),
        ({"BUILD_SECRET_FROM": "npm=TOKEN"}, "BUILD_SECRET_FROM: the environment has no TOKEN"),
        (
            {"BUILD_SECRET_FROM": "npm=TOKEN", "TOKEN": "x", "BUILD_SECRET_npm": "YWI="},
            "BUILD_SECRET_FROM: BUILD_SECRET_npm also gives the secret 'npm'; set only one",
        ),
    ],
)
def test_a_problem_names_the_variable_and_never_the_value(environment: dict[str, str], problem: str):
    problems = [each for each in found(**environment) if isinstance(each, str)]
    assert len(problems) == 1
    assert problems[0].startswith(problem)
    assert "hunter2" not in problems[0]


@pytest.mark.parametrize("text", ["npm", "=TOKEN", "a b=TOKEN", "npm=A,npm=B"])
def test_a_list_of_variables_that_is_malformed(text: str):
    with pytest.raises(ValueError, match=r"write ID|an id has|appears twice"):
        BUILD_SECRET_FROM.parse(text)


def test_all_forms_of_a_value_are_masked():
    environment = {
        "SOURCE_GET_URL": "dir:///tmp/source",
        "OUTPUT_IMAGE": "registry.example/app",
        "BUILD_SECRET_npm": b64encode(b"hunter2").decode(),
    }
    request = parse_request(Command.ALL, environment)
    assert isinstance(request, BuildRequest)
    assert "hunter2" not in repr(request)
    assert {"hunter2", b64encode(b"hunter2").decode()} <= set(secrets_of(request))
