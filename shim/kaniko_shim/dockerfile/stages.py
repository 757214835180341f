"""The stages of a Dockerfile."""

import csv
import posixpath
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from kaniko_shim.dockerfile.arguments import expanded
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.parse import parse_heredoc
from kaniko_shim.dockerfile.words import json_words, plain_words

DEFAULT_SHELL = ("/bin/sh", "-c")

_WORDS_WITH_NAME = 3


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        index: counted from 0.
        name: in lower case; empty if it has none.
        base: what FROM names, its variables expanded.
        start: its FROM.
        instructions: the others.
    """

    index: int
    name: str
    base: str
    start: Instruction
    instructions: tuple[Instruction, ...] = ()


@dataclass(frozen=True)
class Stages:
    """All stages.

    Attributes:
        arguments: the ARGs before the first FROM.
        stages: in order.
    """

    arguments: tuple[Instruction, ...]
    stages: tuple[Stage, ...]

    def find(self, name: str, before: int) -> Stage | None:
        """The stage that a `--from` in stage number `before`, or a target, names; None if it is an image."""
        name = name.strip("\"'").lower()
        if stage := self._named(name, before):
            return stage
        number = int(name) if name.isascii() and name.isdigit() and len(name) < len(str(len(self.stages))) + 1 else None
        return self.stages[number] if number is not None and number < before else None

    def base(self, stage: Stage) -> Stage | None:
        """The stage that a stage is based on; None if it is an image. FROM accepts names, not numbers."""
        return self._named(stage.base.lower(), stage.index)

    def bases(self, stage: Stage) -> tuple[Stage, ...]:
        """The stages that a stage is built on, the first one first; itself is the last."""
        found = [stage]
        while base := self.base(found[-1]):
            found.append(base)
        return tuple(reversed(found))

    def origins(self, stage: Stage) -> Iterator[Stage]:
        """The stages that a stage is based on or copies from."""
        if base := self.base(stage):
            yield base
        for instruction in stage.instructions:
            for name in origin_names(instruction):
                if origin := self.find(name, stage.index):
                    yield origin

    def needed(self, stage: Stage, known: Container[int] = ()) -> tuple[Stage, ...]:
        """A stage and all stages that it needs, in order.

        Args:
            stage: the stage.
            known: the indexes of stages to leave out, with what only they need.
        """
        found = {stage.index}
        waiting = [stage]
        while waiting:
            for origin in self.origins(waiting.pop()):
                if origin.index not in found and origin.index not in known:
                    found.add(origin.index)
                    waiting.append(origin)
        return tuple(self.stages[index] for index in sorted(found))

    def target(self, name: str) -> Stage | None:
        """The stage that a name or a number means as the target; the last one if it is empty."""
        if not name:
            return self.stages[-1] if self.stages else None
        return self.find(name, len(self.stages))

    def built(self, target: str) -> tuple[Stage, ...]:
        """The stages that are built: the target, or the last if there is no such stage, and what it needs."""
        if not self.stages:
            return ()
        return self.needed(self.target(target) or self.stages[-1])

    def others(self, stages: Iterable[Stage]) -> Iterator[Stage]:
        """All stages except the given ones."""
        indexes = {stage.index for stage in stages}
        return (stage for stage in self.stages if stage.index not in indexes)

    def _named(self, name: str, before: int) -> Stage | None:
        """The last stage with a name among the first `before` stages."""
        indexes = self._indexes.get(name, ())
        place = bisect_left(indexes, before)
        return self.stages[indexes[place - 1]] if place else None

    @cached_property
    def _indexes(self) -> Mapping[str, Sequence[int]]:
        indexes = defaultdict[str, list[int]](list)
        for stage in self.stages:
            if stage.name:
                indexes[stage.name].append(stage.index)
        return indexes


@dataclass(slots=True)
class _Open:
    start: Instruction
    instructions: list[Instruction] = field(default_factory=list)

    def close(self, index: int, values: Mapping[str, str]) -> Stage:
        words = plain_words(self.start.rest)
        has_name = len(words) == _WORDS_WITH_NAME and words[1].lower() == "as"
        name = words[2].lower() if has_name else ""
        base = words[0] if words else ""
        if values:
            base = expanded(base, values)
        return Stage(index, name, base, self.start, tuple(self.instructions))


def split_stages(instructions: Sequence[Instruction], values: Mapping[str, str] | None = None) -> Stages:
    """Group instructions by stage.

    Args:
        instructions: a Dockerfile's.
        values: those of the variables in FROM; without them, variables stay as they are.
    """
    arguments = list[Instruction]()
    stages = list[_Open]()
    for instruction in instructions:
        if instruction.keyword == "FROM":
            stages.append(_Open(instruction))
        else:
            (stages[-1].instructions if stages else arguments).append(instruction)
    return Stages(tuple(arguments), tuple(stage.close(index, values or {}) for index, stage in enumerate(stages)))


def origin_names(instruction: Instruction) -> Iterator[str]:
    """The stages or images that an instruction takes files from: by `--from`, or by `from=` of a mount."""
    for name, value in instruction.flags:
        if name == "--from" and value:
            yield value
        elif name == "--mount":
            yield from mount_origins(value)


def mount_origins(mount: str) -> Iterator[str]:
    """What `from=` of a mount says; a mount is one line of CSV."""
    try:
        fields = next(csv.reader([mount], strict=True), [])
    except csv.Error:
        return
    for each in fields:
        key, _, value = each.partition("=")
        if key.lower() == "from" and value:
            yield value


def shell_of(instruction: Instruction) -> tuple[str, ...]:
    """The shell that an instruction sets for RUN; empty if it sets none."""
    return (json_words(instruction.rest) or ()) if instruction.keyword == "SHELL" else ()


def sources(instruction: Instruction) -> tuple[str, ...]:
    """The sources of a COPY or ADD as written, heredocs among them."""
    words = json_words(instruction.rest)
    return (plain_words(instruction.rest) if words is None else words)[:-1]


def copied(instruction: Instruction) -> list[str]:
    """The sources of a COPY or ADD without quotes, and without its heredocs."""
    return [word.replace('"', "").replace("'", "") for word in sources(instruction) if not parse_heredoc(word)]


def place_of(source: str) -> str:
    """The path of a source relative to the context's root, where `..` stops. The root itself is `.`."""
    return posixpath.normpath("/" + source).lstrip("/") or "."
