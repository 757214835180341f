"""Variables that an old executor gives other values: an ARG behind an ENV, and the ARG of another stage."""

import re
from collections.abc import Iterable, Iterator

from kaniko_shim.dockerfile.syntax.arguments import declared
from kaniko_shim.dockerfile.syntax.assignments import names_and_values
from kaniko_shim.dockerfile.syntax.instruction import Instruction
from kaniko_shim.dockerfile.syntax.stages import Stage, Stages

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def warnings_about_scopes(stages: Stages, built: Iterable[Stage], name: str) -> Iterator[str]:
    """Warnings for an executor in which an ENV always wins over an ARG, and an ARG stays set in later stages.

    Args:
        stages: the Dockerfile's.
        built: those that are built.
        name: the Dockerfile's.
    """
    earlier = dict[str, Stage]()
    sets = dict[int, tuple[set[str], set[str]]]()
    for stage in built:
        base = stages.base(stage)
        known, fixed = (set(names) for names in (sets[base.index] if base else ((), ())))
        sets[stage.index] = known, fixed
        for instruction in stage.instructions:
            if instruction.keyword == "ARG":
                for each, _ in declared(instruction):
                    if each in fixed:
                        yield (
                            f"{name} line {instruction.line}: this executor keeps the value that ENV gave {each}; "
                            "in Docker, the ARG wins. Choose another name for the ARG."
                        )
            fixed |= _env(instruction)
            for each in sorted(_names(instruction) & (earlier.keys() - known)):
                known.add(each)
                yield (
                    f"{name} line {instruction.line}: this executor keeps the ARG {each} of the stage at line "
                    f"{earlier[each].start.line}; in Docker, it is not set here. Declare it with ARG in this stage."
                )
            known |= _set_by(instruction)
        for instruction in stage.instructions:
            if instruction.keyword == "ARG":
                earlier.update((each, stage) for each, _ in declared(instruction))


def _names(instruction: Instruction) -> set[str]:
    """The names in an instruction that may be those of variables; a RUN also has them without a dollar sign."""
    if instruction.keyword == "ARG":
        return set()
    pattern = _NAME if instruction.keyword == "RUN" else _VARIABLE
    return set(pattern.findall(instruction.rest + "".join(each.content for each in instruction.heredocs)))


def _set_by(instruction: Instruction) -> set[str]:
    if instruction.keyword == "ARG":
        return {each for each, _ in declared(instruction)}
    return _env(instruction)


def _env(instruction: Instruction) -> set[str]:
    if instruction.keyword != "ENV":
        return set()
    try:
        return {name for name, _ in names_and_values(instruction.rest)}
    except ValueError:
        return set()
