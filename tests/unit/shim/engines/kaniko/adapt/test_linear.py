"""Work grows with the length of a Dockerfile, not with its square: calls are counted, not time."""

import sys
from collections.abc import Callable

import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.shell_patterns import replace_matches
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.dockerfile.steps import plan_steps
from kaniko_shim.engines.kaniko.adapt.adapt import BuildInputs, adapt
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.copy.sources import name_pattern
from kaniko_shim.engines.kaniko.adapt.draft import Draft
from kaniko_shim.engines.kaniko.adapt.stages.resolve import resolve_stages
from support.linear import assert_linear


class Files:
    def is_directory(self, path: str) -> bool:
        return bool(path)

    def names(self, directory: str) -> str:
        return directory

    def content(self, path: str) -> str:
        return path


def work(text: str) -> int:
    calls = 0

    def count(_frame: object, _event: str, _argument: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        content = text.encode()
        made = adapt(Draft.of(content), Support(is_old=True), BuildInputs("/context", Files()))
        plan_steps(split_stages(parse_dockerfile(content)).stages, made.draft.instructions)
        resolve_stages(Draft.of(content), "", {}, Support(is_old=True), lambda image, _: image, "Dockerfile")
    finally:
        sys.setprofile(before)
    return calls


FORMS: dict[str, Callable[[int], str]] = {
    "runs": lambda n: "FROM x\n" + "RUN a\n" * n,
    "copies": lambda n: "FROM x\n" + "COPY . /a\n" * n,
    "stages": lambda n: "".join(f"FROM x AS s{i}\n" for i in range(n)),
    "stages of one name": lambda n: "FROM x AS s\n" * n,
    "a chain": lambda n: (
        "FROM x AS s0\n" + "".join(f"FROM s{i - 1} AS s{i}\nCOPY --from=s0 a b\n" for i in range(1, n))
    ),
    "a chain of variables": lambda n: (
        "FROM x AS s0\nENV A0=1\n" + "".join(f"FROM s{i - 1} AS s{i}\nENV A{i}=$A{i - 1}\nRUN a\n" for i in range(1, n))
    ),
    "heredocs": lambda n: "FROM x\n" + "RUN <<E\na\nE\n" * n,
    "heredocs of one instruction": lambda n: "FROM x\nRUN " + "<<E " * n + "\nE" * n,
    "flags": lambda n: "FROM x\nRUN " + "--a " * n + "b\n",
    "continued lines": lambda n: "FROM x\nRUN a \\\n" + "b \\\n" * n,
    "copies of a stage": lambda n: "FROM x\nRUN a\nFROM y\n" + "COPY --from=0 a b\n" * n,
    "variables": lambda n: "FROM x\nCOPY " + "$a" * n + " /b\n",
    "arguments and stages": lambda n: (
        "".join(f"ARG a{i}=1\n" for i in range(n))
        + "FROM x AS s\n"
        + "".join(f"FROM x AS s{i}\nCOPY --from=s a b\n" for i in range(n))
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_work_is_linear(form: str):
    small, large = (work(FORMS[form](count)) for count in (100, 800))
    # Eight times the length: a square would be 64 times the work.
    assert large < 16 * small


def test_a_thousand_stages_on_one_another_are_no_recursion():
    chain = "".join(f"FROM s{i - 1} AS s{i}\nENV A{i}=$A{i - 1}\nUSER 5\nRUN a\n" for i in range(1, 1500))
    assert work(f"FROM x AS s0\n{chain}") > 0


@pytest.mark.shows("A54")
@pytest.mark.parametrize("pattern", ["*a*a*a*a*b", "a*[ab]*?*c", "?*a*?b"])
def test_a_pattern_of_copy_takes_linear_time(pattern: str):
    compiled = name_pattern(pattern)
    assert compiled
    assert_linear(compiled.matches, lambda size: "a" * size, 2000)


@pytest.mark.shows("A54")
@pytest.mark.parametrize("pattern", ["*b", "a*b", "a*a*b", "?*b", "*a*b*c"])
@pytest.mark.parametrize("every", [True, False])
def test_a_pattern_of_a_variable_takes_linear_time(pattern: str, every: bool):  # noqa: FBT001 - a parameter
    assert_linear(lambda value: replace_matches(value, pattern, "x", every=every), lambda size: "a" * size, 2000)
