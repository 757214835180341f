"""Adds file names to the cache keys, because an old executor leaves them out.

kaniko up to 1.25 finds a RUN's cached layer by what was copied before it, and takes modes, owners and contents of a
directory's files for that, in the order of their names, but not the names. A file that was renamed would go unnoticed
and the old layer be used. So an ARG is declared before each COPY of a directory or of a pattern, and its name
depends on the names of the files. It has no value: no RUN sees it, and the image is the same; only the key differs.
Where the names can't be known beforehand, it is another one in each build, and nothing behind it comes from the cache.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kaniko_shim.dockerfile.arguments import declared, expanded, values_for_from
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.stages import Stage, Stages, copied, place_of
from kaniko_shim.engines.kaniko.adapt.context.files import Files
from kaniko_shim.engines.kaniko.adapt.draft import Edit, inserted

PREFIX = "IMAGEBUILD_NAMES_"

_COPYING = frozenset({"COPY", "ADD"})
_SPECIAL = re.compile(r"[*?\[\\]")
_SCRATCH = "scratch"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class Markers:
    """Computes the markers of one build.

    Attributes:
        stages: the Dockerfile's.
        files: the context's.
        arguments: the build arguments' values.
        digest_of: looks up the digest of an image named by a tag; empty if it cannot be found.
        salt: a text that differs in every build.
        unknown: filled with the images and URLs whose content cannot be known beforehand.
    """

    stages: Stages
    files: Files
    arguments: Mapping[str, str] = field(repr=False)
    digest_of: Callable[[str], str] = lambda _: ""
    salt: str = ""
    unknown: list[str] = field(default_factory=list)
    _inputs: dict[int, str] = field(default_factory=dict)
    _values: dict[str, str] = field(default_factory=dict, repr=False)
    _arguments: list[str] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        """Read the arguments before the first FROM, which go into every stage, once."""
        self._values.update(values_for_from(self.stages.arguments, self.arguments))
        parts = (part for each in self.stages.arguments for part in self._declaration(each))
        self._arguments.append(_digest(parts))

    def edits(self, built: Iterable[Stage]) -> Iterator[Edit]:
        """The markers to insert into the stages that are built."""
        for stage in built:
            for instruction in stage.instructions:
                if instruction.keyword in _COPYING and (key := self._key(stage, instruction)):
                    yield inserted(instruction, f"ARG {PREFIX}{hashlib.sha256(key.encode()).hexdigest()[:32]}")

    def _key(self, stage: Stage, instruction: Instruction) -> str:
        """What the names of the copied files depend on; empty if the instruction itself has them."""
        origin = instruction.flag("--from")
        if origin is None:
            urls = "".join(self._give_up(source) for source in copied(instruction) if _URL.match(source))
            return urls + "".join(self._names(source) for source in copied(instruction))
        # The files of a stage are known only after it has run; they depend on everything that goes into it.
        source = self.stages.find(origin, stage.index)
        return self._inputs_of(source) if source else self._image(origin)

    def _image(self, name: str) -> str:
        """What the content of an image depends on; empty if its name has a digest."""
        if "@sha256:" in name or name == _SCRATCH:
            return ""
        return ("" if "$" in name else self.digest_of(name)) or self._give_up(name)

    def _give_up(self, what: str) -> str:
        if what not in self.unknown:
            self.unknown.append(what)
        return self.salt

    def _names(self, source: str) -> str:
        directory = self._directory(source)
        return self.files.names(directory) if directory else ""

    def _directory(self, source: str) -> str:
        """The directory that contains everything a source can match; empty if the source is a single file."""
        if _URL.match(source):
            return ""
        if "$" in source:
            return "."
        path = place_of(source)
        if match := _SPECIAL.search(path):
            path = path[: match.start()].rpartition("/")[0] or "."
        return path if self.files.is_directory(path) else ""

    def _inputs_of(self, stage: Stage) -> str:
        """A digest of everything that goes into a stage, except what RUN steps download."""
        if stage.index not in self._inputs:
            for each in self.stages.needed(stage, self._inputs):
                self._inputs[each.index] = self._compute(each)
        return self._inputs[stage.index]

    def _compute(self, stage: Stage) -> str:
        """The inputs of a stage; those of the stages that it needs are known already."""
        base = self.stages.base(stage)
        named = expanded(stage.base, self._values) if "$" in stage.base else stage.base
        parts = [self._inputs[base.index] if base else stage.base + self._image(named), *self._arguments]
        for instruction in stage.instructions:
            parts += self._declaration(instruction)
            if instruction.keyword in _COPYING:
                origin = instruction.flag("--from")
                source = self.stages.find(origin, stage.index) if origin else None
                if source:
                    parts.append(self._inputs[source.index])
                elif origin:
                    parts.append(self._image(origin))
                else:
                    parts += [self._content(each) for each in copied(instruction)]
        return _digest(parts)

    def _declaration(self, instruction: Instruction) -> Iterator[str]:
        """An instruction's text, and the values of the arguments that it declares."""
        yield repr((instruction.text, instruction.heredocs))
        if instruction.keyword == "ARG":
            yield from (f"{name}={self.arguments.get(name)}" for name, _ in declared(instruction))

    def _content(self, source: str) -> str:
        if _URL.match(source):
            return self._give_up(source)
        return self.files.content(self._directory(source) or place_of(source))


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
