"""What is known of a stage before each of its instructions: variables, the working directory, and directories."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.stages import Stage, Stages
from kaniko_shim.engines.kaniko.adapt.config.variables import Place
from kaniko_shim.engines.kaniko.adapt.copy.words import COPYING, words_of


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known at one point of a stage; what its base image brings is not, except for its variables.

    Attributes:
        place: the instruction.
        workdir: the working directory; empty if only the base image knows it.
        directories: directories that exist for sure, and the owners of those that this stage has made, as written.
        user: the USER in force, as written; empty for that of the base image.
        origin: the stage that a COPY takes files from; None if it is the context or an image.
        image: the image that this stage is, if it is nothing else; empty otherwise.
    """

    place: Place
    workdir: str = ""
    directories: Mapping[str, str] = field(default_factory=lambda: {"/": ""})
    user: str = ""
    origin: Stage | None = None
    image: str = ""

    @property
    def instruction(self) -> Instruction:
        """The instruction."""
        return self.place.instruction

    def value(self, word: str) -> str | None:
        """A word without quotes and with its variables; None if one of these is not known."""
        return self.place.expanded(word)

    def exists(self, destination: str) -> bool:
        """Whether a destination without variables is a directory that exists for sure."""
        # A base image's own working directory exists too.
        if posixpath.normpath(destination or ".") == ".":
            return True
        return self._absolute(destination) in self.directories

    @property
    def destination(self) -> str:
        """The absolute destination of a COPY or ADD, with a / at its end if it was written; empty if not known."""
        value = self.value(words_of(self.instruction).destination) or ""
        path = self._absolute(value)
        return path if path in {"", "/"} or not value.endswith("/") else f"{path}/"

    def owner(self, destination: str) -> str:
        """The owner, as written, of a directory that this stage has made; empty if it is not known, or root."""
        return self.directories.get(self._absolute(destination or "."), "")

    def following(self) -> tuple[str, Mapping[str, str], str]:
        """The working directory, the directories and the user after the instruction."""
        instruction = self.instruction
        if instruction.keyword == "USER":
            return self.workdir, self.directories, self.value(instruction.rest) or ""
        if instruction.keyword == "WORKDIR":
            value = self.value(instruction.rest)
            workdir = self._absolute(value) if value else ""
            return workdir, {**dict.fromkeys(_upwards(workdir), self.user), **self.directories}, self.user
        made = self.destination
        made = made.rstrip("/") if made.endswith("/") else posixpath.dirname(made)
        owner = self.value(instruction.flag("--chown") or "") or ""
        return self.workdir, {**dict.fromkeys(_upwards(made), owner), **self.directories}, self.user

    def _absolute(self, path: str) -> str:
        """A path from the root; empty if it is not known."""
        if not path.startswith("/") and not (self.workdir and path):
            return ""
        # Two slashes at the beginning would stay two.
        return posixpath.normpath("/" + posixpath.join(self.workdir, path).lstrip("/"))


def scopes(stages: Stages, places: Iterable[Place]) -> Iterator[Scope]:
    """What is known before each instruction of each stage."""
    ends = dict[int, tuple[str, Mapping[str, str], str]]()
    nothing = "", {"/": ""}, ""
    for place in places:
        index = place.stage.index
        if index not in ends:
            base = stages.base(place.stage)
            ends[index] = ends.get(base.index, nothing) if base else nothing
        name = place.instruction.flag("--from")
        origin = stages.find(name, index) if name else None
        workdir, directories, user = ends[index]
        scope = Scope(place, workdir, directories, user, origin, _image(origin, stages) if origin else "")
        yield scope
        if scope.instruction.keyword in {*COPYING, "WORKDIR", "USER"}:
            ends[index] = scope.following()


def _upwards(path: str) -> Iterator[str]:
    while path not in {"", "/"}:
        yield path
        path = posixpath.dirname(path)


def _image(stage: Stage, stages: Stages) -> str:
    if stage.instructions or stage.base == "scratch" or "$" in stage.base or stages.base(stage):
        return ""
    return stage.base
