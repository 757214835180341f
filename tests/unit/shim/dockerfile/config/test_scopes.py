import pytest
from kaniko_shim.dockerfile.config.scopes import warnings_about_scopes
from kaniko_shim.dockerfile.syntax.parse import parse_dockerfile
from kaniko_shim.dockerfile.syntax.stages import split_stages


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
    found = list(warnings_about_scopes(stages, stages.stages, "D"))
    assert [problem in warning for problem, warning in zip(expected, found, strict=True)] == [True] * len(expected)
