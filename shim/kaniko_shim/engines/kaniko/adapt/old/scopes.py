"""Variables that an old executor gives other values: an ARG behind an ENV, and the ARG of another stage.

There, an ARG stays set in all later stages. So its value is taken away where a stage begins that does not know it: it
is then empty, and not unset as in Docker. A build argument that is given cannot be taken away.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping

from kaniko_shim.dockerfile.arguments import declared
from kaniko_shim.dockerfile.assignments import names_and_values
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.stages import Stage, Stages
from kaniko_shim.engines.kaniko.adapt.config.literals import literal
from kaniko_shim.engines.kaniko.adapt.draft import Edit, replaced

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def end_scopes(stages: Stages, values: Mapping[str, str], given: Container[str]) -> Iterator[Edit]:
    """The edits that end the ARGs of each stage where the next one begins.

    Args:
        stages: the Dockerfile's.
        values: those of the variables in FROM, which an ARG without a default takes.
        given: the build arguments.
    """
    earlier = dict[str, None]()
    sets = dict[int, set[str]]()
    for stage in stages.stages:
        base = stages.base(stage)
        inherited = sets[base.index] if base else set[str]()
        own = {name for instruction in stage.instructions for name in _set_by(instruction)}
        sets[stage.index] = inherited | own
        over = [name for name in earlier if name not in inherited and name not in given]
        if words := [f"{name}=" for name in over if name not in own]:
            yield replaced(stage.start, f"{stage.start.head}{stage.start.rest}\nARG {' '.join(words)}")
        for instruction in stage.instructions:
            if instruction.keyword == "ARG":
                pairs = declared(instruction)
                texts = [_declaration(*pair, values) if pair[0] in over else _word(*pair) for pair in pairs]
                if texts != [_word(*pair) for pair in pairs]:
                    yield replaced(instruction, f"{instruction.head.rstrip()} {' '.join(texts)}")
                earlier.update((name, None) for name, _ in pairs)


def _declaration(name: str, default: str | None, values: Mapping[str, str]) -> str:
    return _word(name, literal(values.get(name, "")) if default is None else default)


def _word(name: str, default: str | None) -> str:
    return name if default is None else f"{name}={default}"


def warnings_about_scopes(stages: Stages, built: Iterable[Stage], given: Container[str], name: str) -> Iterator[str]:
    """Warnings for an executor in which an ENV always wins over an ARG, and a build argument stays set in later stages.

    Args:
        stages: the Dockerfile's.
        built: those that are built.
        given: the build arguments.
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
                earlier.update((each, stage) for each, _ in declared(instruction) if each in given)


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
