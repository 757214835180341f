"""The SHELL in force at each instruction."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.stages import DEFAULT_SHELL, Stages, shell_of

Words = tuple[str, ...]
ImageShell = Callable[[str], Words]
"""Gives the SHELL that an image sets; empty if it sets none, or cannot be found."""


@dataclass(frozen=True, slots=True)
class Shell:
    """A SHELL of the Dockerfile, or that of a base image, which is looked up only where it is needed."""

    _words: Words = ()
    _image: str = ""
    _look_up: ImageShell = field(default=lambda _: (), repr=False)

    @property
    def words(self) -> Words:
        """The program and its arguments."""
        return self._words or (self._look_up(self._image) if self._image else ()) or DEFAULT_SHELL


def with_shells(stages: Stages, look_up: ImageShell) -> Iterator[tuple[Instruction, Shell]]:
    """Each instruction with the SHELL that is in force; for a trigger, that is the stage's last one."""
    last = dict[int, Shell]()
    for stage in stages.stages:
        base = stages.base(stage)
        image = "" if stage.base == "scratch" else stage.base
        shell = last[base.index] if base else Shell(_image=image, _look_up=look_up)
        set_here = [found for each in stage.instructions if (found := shell_of(each))]
        last[stage.index] = Shell(set_here[-1]) if set_here else shell
        for instruction in stage.instructions:
            if found := shell_of(instruction):
                shell = Shell(found)
            yield instruction, last[stage.index] if instruction.trigger else shell
