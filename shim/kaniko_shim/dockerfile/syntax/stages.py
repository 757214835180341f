"""The stages of a Dockerfile."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kaniko_shim.dockerfile.syntax.instruction import Instruction
from kaniko_shim.dockerfile.syntax.parse import WORD

_FROM = re.compile(r"(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)
DEFAULT_SHELL = ("/bin/sh", "-c")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        index: counted from 0.
        name: in lower case; empty if it has none.
        base: what FROM names, as it stands.
        line: where its FROM is.
        instructions: without its FROM.
    """

    index: int
    name: str
    base: str
    line: int
    instructions: tuple[Instruction, ...] = ()


@dataclass(frozen=True, slots=True)
class Stages:
    """All stages.

    Attributes:
        arguments: the ARGs before the first FROM.
        stages: in order.
    """

    arguments: tuple[Instruction, ...]
    stages: tuple[Stage, ...]

    def find(self, name: str, before: int) -> Stage | None:
        """The stage that a FROM or `--from` in stage number `before` means; None if it is an image."""
        name = name.strip("\"'").lower()
        for stage in reversed(self.stages[:before]):
            if name == stage.name:
                return stage
        return self.stages[int(name)] if name.isascii() and name.isdigit() and int(name) < before else None

    def base(self, stage: Stage) -> Stage | None:
        """The stage that a stage is built on; None if it is an image."""
        found = self.find(stage.base, stage.index)
        # FROM knows names only: a number is an image there.
        return found if found and found.name == stage.base.lower() else None

    def shell(self, stage: Stage, until: Instruction) -> tuple[str, ...]:
        """The shell that a RUN has, as far as the Dockerfile sets it."""
        return self._shell(stage, [each for each in stage.instructions if each.line < until.line])

    def _shell(self, stage: Stage, instructions: Sequence[Instruction]) -> tuple[str, ...]:
        for instruction in reversed(instructions):
            if instruction.keyword == "SHELL" and (words := words_of_json(instruction.rest)):
                return words
        base = self.base(stage)
        return self._shell(base, base.instructions) if base else DEFAULT_SHELL


def split_stages(instructions: Sequence[Instruction]) -> Stages:
    """Sort instructions by stage."""
    arguments = list[Instruction]()
    stages = list[Stage]()
    for instruction in instructions:
        if instruction.keyword == "FROM":
            match = _FROM.match(instruction.rest)
            base, name = (match[1], match[2] or "") if match else ("", "")
            stages.append(Stage(len(stages), name.lower(), base, instruction.line))
        elif stages:
            stages[-1] = replace(stages[-1], instructions=(*stages[-1].instructions, instruction))
        else:
            arguments.append(instruction)
    return Stages(tuple(arguments), tuple(stages))


def copied(instruction: Instruction) -> list[str]:
    """The sources of a COPY or ADD, without its heredocs."""
    words = words_of_json(instruction.rest)
    if not words:
        words = tuple(word.replace('"', "").replace("'", "") for word in WORD.findall(instruction.rest))
    return [word for word in words[:-1] if not word.startswith("<<")]


def words_of_json(text: str) -> tuple[str, ...]:
    """The words of an instruction's JSON form; empty if it has another form."""
    if not text.startswith("["):
        return ()
    try:
        words = json.loads(text)
    except ValueError:
        return ()
    return tuple(words) if isinstance(words, list) and all(isinstance(word, str) for word in words) else ()
