import pytest
from kaniko_shim.engines.kaniko.adapt.draft import Draft
from support.copies import copy_scopes


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("WORKDIR /\nCOPY a ./b/\n", {"/", "/b"}),
        ("WORKDIR //w\nWORKDIR x\n", {"/", "/w", "/w/x"}),
        ("COPY a //b/\n", {"/", "/b"}),
        ("COPY a b/\n", {"/"}),
    ],
)
def test_directories_that_exist_after_the_last_instruction(lines: str, expected: set[str]):
    *_, last = copy_scopes(Draft.of(f"FROM x\n{lines}RUN true\n".encode()))
    assert set(last.directories) == expected
