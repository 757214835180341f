import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.engines.kaniko.adapt.draft import Draft
from kaniko_shim.engines.kaniko.adapt.old.scopes import end_scopes, warnings_about_scopes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM x\nENV A=1\nARG A=2\n", ["line 3: this executor keeps the value that ENV gave A"]),
        ("FROM x AS a\nENV A=1\nFROM a\nARG A\n", ["line 4: this executor keeps the value that ENV gave A"]),
        ("FROM x\nARG A=2\nENV A=1\n", []),
        (
            "FROM x AS a\nARG A=1\nFROM y\nRUN echo $A\nRUN $A\n",
            ["line 4: this executor keeps the ARG A of the stage at line 1"],
        ),
        ("FROM x AS a\nARG A=1\nFROM y\nARG A\nRUN echo $A\n", []),
        ("FROM x AS a\nARG A=1\nFROM y\nENV A=2\nRUN echo $A\n", []),
        ("FROM x AS a\nARG A=1\nFROM a\nRUN echo $A\n", []),
        ("FROM x AS a\nARG A=1\nFROM y\nRUN echo B\n", []),
    ],
)
def test_what_an_old_executor_does(text: str, expected: list[str]):
    stages = split_stages(parse_dockerfile(text.encode()))
    found = list(warnings_about_scopes(stages, stages.stages, {"A": "given"}, "D"))
    assert [problem in warning for problem, warning in zip(expected, found, strict=True)] == [True] * len(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM x\nARG A=1 B C=2\nFROM y\nARG C\n", "FROM x\nARG A=1 B C=2\nFROM y\nARG A= B=\nARG C=\n"),
        ("ARG A=g\nFROM x\nARG A\nFROM y\nARG A\n", "ARG A=g\nFROM x\nARG A\nFROM y\nARG A=g\n"),
        ("FROM x AS a\nARG A=1\nFROM a\nRUN 1\n", "FROM x AS a\nARG A=1\nFROM a\nRUN 1\n"),
        ("FROM x\nARG GIVEN=1\nFROM y\nRUN 1\n", "FROM x\nARG GIVEN=1\nFROM y\nRUN 1\n"),
        ("FROM x\nARG A=1\nFROM y\nENV A=2\n", "FROM x\nARG A=1\nFROM y\nENV A=2\n"),
    ],
)
def test_an_argument_ends_with_its_stage(text: str, expected: str):
    draft = Draft.of(text.encode())
    stages = split_stages(draft.instructions)
    assert draft.then(end_scopes(stages, {"A": "g"} if "=g" in text else {}, {"GIVEN": ""})).written().text == expected
