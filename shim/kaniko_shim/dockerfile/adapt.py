"""Adapts the user's Dockerfile, so that the executor interprets it as Docker would interpret the original."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kaniko_shim.dockerfile.cache_names import Files, Markers
from kaniko_shim.dockerfile.capabilities import Feature, Support
from kaniko_shim.dockerfile.copy.rewrite import rewrite_copies
from kaniko_shim.dockerfile.edits import Edit, Rewritten, replaced, rewrite
from kaniko_shim.dockerfile.heredocs import Converted, convert_heredocs
from kaniko_shim.dockerfile.run.rewrite import rewrite_runs
from kaniko_shim.dockerfile.syntax.instruction import Instruction
from kaniko_shim.dockerfile.syntax.parse import parse_dockerfile, split_lines
from kaniko_shim.dockerfile.syntax.stages import Stage, Stages, split_stages

_RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})(/\w+)?")
_MOST_PORTS = 1000
_ARGUMENT = re.compile(r"\b(TARGET|BUILD)(PLATFORM|OS|ARCH|VARIANT)\b")


@dataclass(frozen=True, slots=True)
class BuildInputs:
    """Everything besides the Dockerfile that its meaning depends on.

    Attributes:
        context: the context's directory.
        files: what the context holds; None if layers are not cached.
        heredocs: directory for the files that heredocs become.
        target: the stage to build; empty for the last.
        skips_unused: whether the executor leaves out stages that the target does not need.
        dropped: instructions to leave out, of stages that are not built.
        arguments: the build arguments' values.
        digest_of: looks up the digest of an image named by a tag; empty if it cannot be found.
        salt: a text that differs in every build.
    """

    context: str
    files: Files | None = None
    heredocs: str = "/kaniko/.heredocs"
    target: str = ""
    skips_unused: bool = False
    dropped: Sequence[Instruction] = ()
    arguments: Mapping[str, str] = field(default_factory=dict, repr=False)
    digest_of: Callable[[str], str] = field(default=lambda _: "", repr=False)
    salt: str = ""


@dataclass(frozen=True, slots=True)
class Adapted:
    """The adapted Dockerfile, and what goes with it.

    Attributes:
        dockerfile: the changed Dockerfile; None if the user's own can be used.
        instructions: instructions as the executor logs them, with the line numbers of the user's Dockerfile.
        heredocs: files to write for heredocs.
        target: the stage to ask the executor for.
        arguments: build arguments to add.
        uncached: images and URLs whose changes the cache cannot notice; no layer after them is taken from it.
    """

    dockerfile: Rewritten | None
    instructions: tuple[Instruction, ...]
    heredocs: Converted
    target: str
    arguments: Mapping[str, str]
    uncached: tuple[str, ...] = ()


def adapt(content: bytes, support: Support, inputs: BuildInputs) -> Adapted:
    """Adapt a Dockerfile to the executor.

    Args:
        content: the user's Dockerfile, without unsupported instructions in stages that are built.
        support: what the executor supports.
        inputs: everything else that counts.
    """
    instructions = parse_dockerfile(content)
    stages = split_stages(instructions)
    target, end = _target(stages, inputs.target)
    arguments = _platform(instructions, support, inputs.arguments)
    heredocs = convert_heredocs(stages, support)
    runs = rewrite_runs(stages, inputs.heredocs)
    heredocs = replace(heredocs, files={**heredocs.files, **runs.files})
    edits = [*runs.edits, *rewrite_copies(stages, support, inputs.heredocs, inputs.context)]
    uncached = list[str]()
    if not support.has(Feature.PORT_RANGES):
        edits += _ports(stages.stages)
    if inputs.files and not support.has(Feature.NAMES_IN_KEYS):
        values = {**arguments, **inputs.arguments}
        markers = Markers(stages, inputs.files, values, inputs.digest_of, inputs.salt, uncached)
        edits += markers.edits(stages.built(inputs.target, skips_unused=inputs.skips_unused))
    edits += (replaced(instruction, "") for instruction in inputs.dropped)
    if not edits and not end:
        return Adapted(None, instructions, heredocs, target, arguments)
    if end:
        edits = [edit for edit in edits if edit.line < end]
        kept = split_lines(content)[: end - 1]
        content = "\n".join(kept).encode("utf-8", "surrogateescape")
    dockerfile = rewrite(content, edits)
    made = parse_dockerfile(dockerfile.text.encode("utf-8", "surrogateescape"))
    given = tuple(replace(each, line=dockerfile.origin(each.line)) for each in made)
    return Adapted(dockerfile, given, heredocs, target, arguments, tuple(uncached))


def _target(stages: Stages, target: str) -> tuple[str, int]:
    """The stage to ask the executor for, which knows no numbers, and the line to end the file before (0: none)."""
    if not (target.isascii() and target.isdigit()) or any(stage.name == target for stage in stages.stages):
        return target, 0
    number = int(target)
    if number >= len(stages.stages):
        return target, 0
    return "", 0 if number + 1 == len(stages.stages) else stages.stages[number + 1].start.line


def _platform(instructions: tuple[Instruction, ...], support: Support, given: Mapping[str, str]) -> dict[str, str]:
    """The platform arguments (TARGETARCH, …) that the Dockerfile names; Docker sets them by itself."""
    if support.has(Feature.PLATFORM_ARGUMENTS):
        return {}
    values = support.arguments
    found = {
        match[0]: values[match[0]]
        for instruction in instructions
        if instruction.keyword in {"ARG", "FROM"}
        for match in _ARGUMENT.finditer(instruction.text)
    }
    return {name: value for name, value in sorted(found.items()) if name not in given}


def _ports(stages: Iterable[Stage]) -> Iterator[Edit]:
    """EXPOSE with one entry per port, because an old executor does not understand ranges."""
    for stage in stages:
        for instruction in stage.instructions:
            if instruction.keyword == "EXPOSE" and _RANGE.search(instruction.rest):
                ports = " ".join(port for word in instruction.rest.split() for port in _each_port(word))
                yield replaced(instruction, f"EXPOSE {ports}")


def _each_port(word: str) -> Iterator[str]:
    match = _RANGE.fullmatch(word)
    if match is None or int(match[2]) - int(match[1]) > _MOST_PORTS:
        yield word
        return
    for port in range(int(match[1]), int(match[2]) + 1):
        yield f"{port}{match[3] or ''}"
