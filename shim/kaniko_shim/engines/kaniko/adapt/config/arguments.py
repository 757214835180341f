"""ARG: the values that Docker sets by itself (TARGETARCH, …), and defaults that an executor reads differently."""

from collections.abc import Iterator, Mapping

from kaniko_shim.dockerfile.arguments import declared
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.stages import Stages
from kaniko_shim.engines.kaniko.adapt.config.literals import is_plain, literal, literal_of_global
from kaniko_shim.engines.kaniko.adapt.draft import Edit, replaced


def rewrite_arguments(
    stages: Stages, values: Mapping[str, str], automatic: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[Edit]:
    """The edits that replace ARG.

    - Before the first FROM, a default is written out: it may name variables that only Docker sets.
    - In a stage, an ARG of a variable that Docker sets gets the value as its default, unless it has one.
    - Docker does not expand the name of an ARG.

    Args:
        stages: the Dockerfile's.
        values: those of the variables in FROM.
        automatic: the variables that Docker sets, with their values.
        given: the build arguments; they win over any default, and are never written down.
    """
    for instruction in stages.arguments:
        yield from _changed(instruction, [_global(each, values, given) for each in declared(instruction)])
    for stage in stages.stages:
        for instruction in stage.instructions:
            if instruction.keyword == "ARG":
                words = [_local(each, values, automatic, given) for each in declared(instruction)]
                yield from _changed(instruction, words)


def _changed(instruction: Instruction, words: list[str]) -> Iterator[Edit]:
    before = [name if default is None else f"{name}={default}" for name, default in declared(instruction)]
    if words != before:
        yield replaced(instruction, " ".join([instruction.head.rstrip(), *words]))


def _global(argument: tuple[str, str | None], values: Mapping[str, str], given: Mapping[str, str]) -> str:
    name, default = argument
    if default is None or name in given or is_plain(default):
        return _word(name, default)
    return _word(name, literal_of_global(values.get(name, "")))


def _local(
    argument: tuple[str, str | None], values: Mapping[str, str], automatic: Mapping[str, str], given: Mapping[str, str]
) -> str:
    name, default = argument
    if default is None and name in automatic and name not in given:
        default = literal(values.get(name, automatic[name]))
    return _word(name if is_plain(name) else literal(name), default)


def _word(name: str, default: str | None) -> str:
    return name if default is None else f"{name}={default}"
