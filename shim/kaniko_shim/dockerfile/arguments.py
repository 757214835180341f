"""ARG instructions, and the values that FROM can use."""

from collections.abc import Mapping, Sequence

from kaniko_shim.dockerfile.assignments import argument_words
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.shell_words import expand


def declared(instruction: Instruction, escape: str = "\\") -> list[tuple[str, str | None]]:
    """The names that an ARG declares, each with its default as written, or None without one."""
    pairs = [word.partition("=") for word in argument_words(instruction.rest, escape)]
    return [(name, default if equals else None) for name, equals, default in pairs]


def values_for_from(
    arguments: Sequence[Instruction],
    given: Mapping[str, str],
    automatic: Mapping[str, str] | None = None,
    escape: str = "\\",
) -> dict[str, str]:
    """The values of the variables that FROM can use.

    Args:
        arguments: the ARGs before the first FROM; the default of one wins over an automatic value.
        given: the build arguments' values.
        automatic: the values of TARGETPLATFORM and the like.
        escape: the Dockerfile's escape character.
    """
    automatic = automatic or {}
    values = {**automatic, **{name: value for name, value in given.items() if name in automatic}}
    for instruction in arguments:
        for name, default in declared(instruction, escape):
            if name in given:
                values[name] = given[name]
            elif default is not None:
                values[name] = expanded(default, values, escape)
    return values


def expanded(word: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """A word with its variables expanded; unchanged if it is malformed."""
    try:
        return expand(word, values, escape)
    except ValueError:
        return word
