"""What is known about a program that failed."""

from dataclasses import dataclass

from kaniko_shim.system.processes.process import Ended


@dataclass(frozen=True, slots=True)
class Tried:
    """A registry that was asked for an image and did not deliver it.

    Attributes:
        registry: `host[:port]`.
        error: what the executor says of it.
    """

    registry: str
    error: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a program that failed.

    Attributes:
        ended: how it ended.
        error: its last words.
        log: the last lines of its output.
        pushing: whether it was pushing, as opposed to pulling base images.
        out_of_memory: whether the kernel killed a process meanwhile because memory ran out; None if that is unknown.
        disk_full: whether the builder's disk had no room when a RUN printed that there is none left.
        instruction: the Dockerfile's current instruction.
        line: the line of the instruction; 0 if unknown.
        image: the image that it was requesting from a registry, or empty.
        registry: that image's registry, or empty.
        mirrors: the mirrors that did not deliver that image, in order.
        missing: the file to copy that does not exist, or empty.
        cache_repo: the repository of the cache, if there is one.
        names: images that the error may name; their names say nothing about what failed.
    """

    ended: Ended
    error: str
    log: str = ""
    pushing: bool = False
    out_of_memory: bool | None = False
    disk_full: bool = False
    instruction: str = ""
    line: int = 0
    image: str = ""
    registry: str = ""
    mirrors: tuple[Tried, ...] = ()
    missing: str = ""
    cache_repo: str = ""
    names: tuple[str, ...] = ()

    @property
    def step(self) -> str:
        """The current RUN, for a message."""
        return f"The RUN in line {self.line}" if self.line else "A RUN step"
