"""Puts the names of files into the cache's keys, where the executor leaves them out.

kaniko up to 1.25 finds a RUN's cached layer by what was copied before it, and takes modes, owners and contents of a
directory's files for that, in the order of their names, but not the names. A file that was renamed would go unnoticed
and the old layer be used. So an ARG is declared before each COPY of a directory or of a pattern, and its name
depends on the names of the files. It has no value: no RUN sees it, and the image is the same; only the key differs.
Where the names can't be known beforehand, it is another one in each build, and nothing behind it comes from the cache.
"""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kaniko_shim.dockerfile.edits import Edit, inserted
from kaniko_shim.dockerfile.syntax.dockerignore import Pattern, is_ignored
from kaniko_shim.dockerfile.syntax.instruction import Instruction
from kaniko_shim.dockerfile.syntax.parse import WORD
from kaniko_shim.dockerfile.syntax.stages import Stage, Stages, copied

PREFIX = "IMAGEBUILD_NAMES_"

_COPYING = frozenset({"COPY", "ADD"})
_SPECIAL = re.compile(r"[*?\[\\]")
_SCRATCH = "scratch"
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class Markers:
    """Computes the markers of one build.

    Attributes:
        stages: the Dockerfile's.
        context: the context's directory.
        ignored: its `.dockerignore`.
        arguments: the build arguments' values.
        pin: the digest of an image that is named by a tag; empty if it can't be had.
        salt: differs from build to build.
        unknown: is filled with what can't be known beforehand.
    """

    stages: Stages
    context: Path
    ignored: Sequence[Pattern]
    arguments: Mapping[str, str] = field(repr=False)
    pin: Callable[[str], str] = lambda _: ""
    salt: str = ""
    unknown: list[str] = field(default_factory=list)

    def edits(self) -> Iterator[Edit]:
        """The markers to put into the Dockerfile."""
        for stage in self.stages.stages:
            for instruction in stage.instructions:
                if instruction.keyword in _COPYING and (key := self._key(stage, instruction)):
                    yield inserted(instruction, f"ARG {PREFIX}{hashlib.sha256(key.encode()).hexdigest()[:32]}")

    def _key(self, stage: Stage, instruction: Instruction) -> str:
        """What the names depend on; empty if they are in the instruction itself, or can't be known."""
        origin = instruction.flag("--from")
        if origin is None:
            urls = "".join(self._give_up(source) for source in copied(instruction) if _URL.match(source))
            return urls + "".join(self._names(source) for source in copied(instruction))
        # What a stage leaves is known only when it has run; its names depend on all that goes into it.
        source = self.stages.find(origin, stage.index)
        return self._inputs(source) if source else self._image(origin)

    def _image(self, name: str) -> str:
        """What an image's content depends on; empty if its name says so."""
        if "@sha256:" in name or name == _SCRATCH:
            return ""
        return ("" if "$" in name else self.pin(name)) or self._give_up(name)

    def _give_up(self, what: str) -> str:
        if what not in self.unknown:
            self.unknown.append(what)
        return self.salt

    def _names(self, source: str) -> str:
        directory = self._directory(source)
        return "\n".join(name for name, _ in self._walk(directory)) if directory else ""

    def _directory(self, source: str) -> Path | None:
        """The directory that holds all that a source may name; None if it is one file."""
        if _URL.match(source):
            return None
        if "$" in source:
            return self.context
        source = os.path.normpath(source.lstrip("/")) if source.lstrip("/") else "."
        if match := _SPECIAL.search(source):
            source = source[: match.start()].rpartition("/")[0]
        path = self.context / source
        return path if path.is_dir() and not path.is_symlink() else None

    def _inputs(self, stage: Stage) -> str:
        """All that goes into a stage, but for what its base image and its RUN steps get from elsewhere."""
        base = self.stages.base(stage)
        parts = [self._inputs(base) if base else stage.base + self._image(self._named(stage.base))]
        for instruction in (*self.stages.arguments, *stage.instructions):
            parts.append(repr((instruction.text, instruction.heredocs)))
            if instruction.keyword == "ARG":
                parts += (f"{name}={self.arguments.get(name)}" for name in _declared(instruction))
            elif instruction.keyword in _COPYING:
                origin = instruction.flag("--from")
                source = self.stages.find(origin, stage.index) if origin else None
                if source:
                    parts.append(self._inputs(source))
                elif origin:
                    parts.append(self._image(origin))
                else:
                    parts += [self._content(each) for each in copied(instruction)]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    def _named(self, image: str) -> str:
        """A FROM's image, with the arguments before the first FROM in place."""
        values = dict[str, str]()
        for instruction in self.stages.arguments:
            for word in WORD.findall(instruction.rest):
                name, _, default = word.partition("=")
                values[name] = self.arguments.get(name, default.strip("\"'"))
        return _VARIABLE.sub(lambda match: values.get(match[1] or match[2], match[0]), image)

    def _content(self, source: str) -> str:
        if _URL.match(source):
            return self._give_up(source)
        directory = self._directory(source)
        if directory is None:
            path = self.context / source.lstrip("/")
            return _digest(path) if path.is_file() else ""
        return "\n".join(f"{name} {_digest(path)}" for name, path in self._walk(directory))

    def _walk(self, directory: Path) -> Iterator[tuple[str, Path]]:
        """What is not ignored below a directory, in a stable order."""
        for root, directories, files in os.walk(directory):
            directories.sort()
            place = os.path.relpath(root, self.context)
            prefix = "" if place == "." else f"{place}/"
            for name in sorted([*directories, *files]):
                if not is_ignored(prefix + name, self.ignored):
                    yield ascii(prefix + name), Path(root, name)


def _declared(instruction: Instruction) -> list[str]:
    return [word.partition("=")[0] for word in WORD.findall(instruction.rest)]


def _digest(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return ascii(path.readlink())
    if not stat.S_ISREG(mode):
        return str(mode)
    with path.open("rb") as file:
        return f"{mode} {hashlib.file_digest(file, 'sha256').hexdigest()}"
