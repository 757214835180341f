"""ARG instructions, and the values that FROM can use."""

from collections.abc import Mapping, Sequence

from kaniko_shim.dockerfile.syntax.instruction import Instruction
from kaniko_shim.dockerfile.syntax.shell_words import expand, split_words
from kaniko_shim.dockerfile.syntax.words import plain_words


def declared(instruction: Instruction) -> list[tuple[str, str | None]]:
    """The names that an ARG declares, each with its default as written, or None without one."""
    try:
        words: Sequence[str] = split_words(instruction.rest, raw=True)
    except ValueError:
        words = plain_words(instruction.rest)
    pairs = [word.partition("=") for word in words]
    return [(name, default if equals else None) for name, equals, default in pairs]


def values_for_from(
    arguments: Sequence[Instruction], given: Mapping[str, str], automatic: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The values of the variables that FROM can use.

    Args:
        arguments: the ARGs before the first FROM; the default of one wins over an automatic value.
        given: the build arguments' values.
        automatic: the values of TARGETPLATFORM and the like.
    """
    values = {**(automatic or {}), **given}
    for instruction in arguments:
        for name, default in declared(instruction):
            if name not in given and default is not None:
                values[name] = expanded(default, values)
    return values


def expanded(word: str, values: Mapping[str, str]) -> str:
    """A word with its variables expanded; unchanged if it is malformed."""
    try:
        return expand(word, values)
    except ValueError:
        return word
