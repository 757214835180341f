"""From the user's Dockerfile to the one that the executor gets, which it reads as Docker would read the first."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kaniko_shim.dockerfile.cache_names import Markers
from kaniko_shim.dockerfile.capabilities import Support
from kaniko_shim.dockerfile.edits import Edit, Rewritten, replaced, rewrite
from kaniko_shim.dockerfile.heredocs import Converted, convert_heredocs
from kaniko_shim.dockerfile.syntax.dockerignore import parse_ignore_file
from kaniko_shim.dockerfile.syntax.instruction import Instruction
from kaniko_shim.dockerfile.syntax.parse import parse_dockerfile, split_lines
from kaniko_shim.dockerfile.syntax.stages import Stages, split_stages

_RANGE = re.compile(r"(\d+)-(\d+)(/\w+)?")
_MOST_PORTS = 1000
_ARGUMENT = re.compile(r"\b(TARGET|BUILD)(PLATFORM|OS|ARCH|VARIANT)\b")


@dataclass(frozen=True, slots=True)
class BuildInputs:
    """What a Dockerfile's meaning depends on.

    Attributes:
        context: the context's directory.
        ignore_file: the content of its `.dockerignore`.
        heredocs: the directory where files of heredocs are to lie.
        target: the stage that is wanted; empty for the last.
        arguments: the build arguments' values.
        cached: whether layers are cached.
        pin: the digest of an image that is named by a tag; empty if it can't be had.
        salt: differs from build to build.
    """

    context: Path
    ignore_file: bytes = b""
    heredocs: Path = Path("/kaniko/.heredocs")
    target: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict, repr=False)
    cached: bool = False
    pin: Callable[[str], str] = field(default=lambda _: "", repr=False)
    salt: str = ""


@dataclass(frozen=True, slots=True)
class Adapted:
    """What the executor gets.

    Attributes:
        dockerfile: the changed file; None if the user's own can be used.
        instructions: those of the changed file, as the executor names them, at the lines of the user's own.
        heredocs: files to write.
        target: the stage to ask for.
        arguments: build arguments to add.
        uncached: what the cache can't be trusted with, so that nothing behind it comes from there.
    """

    dockerfile: Rewritten | None
    instructions: tuple[Instruction, ...]
    heredocs: Converted
    target: str
    arguments: Mapping[str, str]
    uncached: tuple[str, ...] = ()


def adapt(content: bytes, support: Support, inputs: BuildInputs) -> Adapted:
    """Make the executor's Dockerfile.

    Args:
        content: the user's, which holds nothing that the executor can't be brought to do.
        support: what the executor makes of Dockerfiles.
        inputs: what else counts.
    """
    instructions = parse_dockerfile(content)
    stages = split_stages(instructions)
    target, end = _target(stages, inputs.target)
    arguments = _platform(instructions, support, inputs.arguments)
    heredocs = convert_heredocs(stages, support, inputs.heredocs, inputs.context)
    edits = list(heredocs.edits)
    uncached = list[str]()
    if not support.modern:
        edits += _corrections(stages)
        if inputs.cached:
            values = {**arguments, **inputs.arguments}
            ignored = parse_ignore_file(inputs.ignore_file)
            place = inputs
            edits += Markers(stages, place.context, ignored, values, place.pin, place.salt, uncached).edits()
    if not edits and not end:
        return Adapted(None, instructions, heredocs, target, arguments)
    if end:
        edits = [edit for edit in edits if edit.line < end]
        kept = split_lines(content, "surrogateescape")[: end - 1]
        content = "\n".join(kept).encode("utf-8", "surrogateescape")
    dockerfile = rewrite(content, edits)
    made = parse_dockerfile(dockerfile.text.encode("utf-8", "surrogateescape"))
    given = tuple(replace(each, line=dockerfile.origin(each.line)) for each in made)
    return Adapted(dockerfile, given, heredocs, target, arguments, tuple(uncached))


def _target(stages: Stages, target: str) -> tuple[str, int]:
    """The stage to ask for, and the line where the file is to end (0 = nowhere): Docker takes a number as well."""
    if not (target.isascii() and target.isdigit()) or any(stage.name == target for stage in stages.stages):
        return target, 0
    number = int(target)
    if number >= len(stages.stages):
        return target, 0
    return "", 0 if number + 1 == len(stages.stages) else stages.stages[number + 1].line


def _platform(instructions: tuple[Instruction, ...], support: Support, given: Mapping[str, str]) -> dict[str, str]:
    """The arguments of the platform, which Docker sets by itself, as far as the Dockerfile names them."""
    if support.modern:
        return {}
    values = {
        f"{whose}{what}": value
        for whose, platform in (("TARGET", support.platform), ("BUILD", support.machine))
        for what, value in (
            ("PLATFORM", platform.name),
            ("OS", platform.os),
            ("ARCH", platform.architecture),
            ("VARIANT", platform.variant),
        )
    }
    found = {
        match[0]: values[match[0]]
        for instruction in instructions
        if instruction.keyword in {"ARG", "FROM"}
        for match in _ARGUMENT.finditer(instruction.text)
    }
    return {name: value for name, value in sorted(found.items()) if name not in given}


def _corrections(stages: Stages) -> Iterator[Edit]:
    for stage in stages.stages:
        for instruction in stage.instructions:
            if instruction.keyword == "COPY" and instruction.flag("--from") and instruction.flag("--chown") is None:
                # Files of another stage or image belong to root, as in Docker.
                flags = " ".join(f"{name}={value}" if value else name for name, value in instruction.flags)
                yield replaced(instruction, f"COPY {flags} --chown=0:0 {instruction.rest}")
            elif instruction.keyword == "EXPOSE" and _RANGE.search(instruction.rest):
                ports = " ".join(port for word in instruction.rest.split() for port in _ports(word))
                yield replaced(instruction, f"EXPOSE {ports}")


def _ports(word: str) -> Iterator[str]:
    match = _RANGE.fullmatch(word)
    if match is None or int(match[2]) - int(match[1]) > _MOST_PORTS:
        yield word
        return
    for port in range(int(match[1]), int(match[2]) + 1):
        yield f"{port}{match[3] or ''}"
