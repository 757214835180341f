"""Values of variables that depend on long chains of others."""

import pytest
from kaniko_shim.dockerfile.parse import parse_dockerfile
from kaniko_shim.dockerfile.stages import split_stages
from kaniko_shim.engines.kaniko.adapt.config.variables import walk

MANY = 1500
LONG_PATH = 300


def value_at_the_end(dockerfile: str, base: dict[str, str] | None) -> tuple[str | None, list[str]]:
    """What the LABEL at the end is, and the images that were asked for."""
    asked = list[str]()

    def environment(image: str) -> dict[str, str] | None:
        asked.append(image)
        return base

    *_, last = walk(split_stages(parse_dockerfile(dockerfile.encode())), {}, {}, environment, "\\")
    return last.expanded(last.instruction.rest), asked


@pytest.mark.parametrize(
    ("first", "base", "expected"),
    [
        ("ENV A0=x", None, "x"),
        ("ENV A0=$OF_BASE", {"OF_BASE": "b"}, "b"),
        ("ENV A0=$OF_BASE", {}, ""),
        ("ENV A0=$OF_BASE", None, None),
    ],
)
def test_a_long_chain(first: str, base: dict[str, str] | None, expected: str | None):
    chain = "\n".join(f"ENV A{number}=$A{number - 1}" for number in range(1, MANY))
    found, asked = value_at_the_end(f"FROM x\n{first}\n{chain}\nLABEL $A{MANY - 1}\n", base)
    assert found == expected
    assert set(asked) == ({"x"} if "OF_BASE" in first else set())


def test_a_path_that_grows_from_that_of_the_base():
    chain = "\n".join(f"ENV PATH=$PATH:/{number}" for number in range(LONG_PATH))
    found, _ = value_at_the_end(f"FROM x\n{chain}\nLABEL $PATH\n", {"PATH": "/bin"})
    assert found == ":".join(["/bin", *(f"/{number}" for number in range(LONG_PATH))])


def test_what_the_base_image_sets_is_not_asked_for_in_vain():
    assert value_at_the_end("FROM x\nENV A=$OF_BASE B=b\nLABEL $B\n", None) == ("b", [])
