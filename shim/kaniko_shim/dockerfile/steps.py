"""The steps of a build, and the progress line in the log that programs read."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import islice

from imagebuild_vocabulary.log_lines import ProgressLine

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.stages import Stage

LONGEST = 80
"""Maximum length of an instruction in the log, in characters."""

REPEATED = 400
"""Lines of a step after which it is announced again, so that it stays among the log's last lines."""

_FROM = "FROM"


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction that is built, FROM included.

    Attributes:
        number: counted from 1.
        stage: of the stages that are built, counted from 1.
        instruction: as the user wrote it.
        line: where it begins.
    """

    number: int
    stage: int
    instruction: str
    line: int


@dataclass(frozen=True, slots=True)
class Steps:
    """All steps of a build.

    Attributes:
        steps: in order.
        given: the instructions that the executor gets, and the step that each belongs to.
    """

    steps: tuple[Step, ...] = ()
    given: tuple[tuple[str, Step], ...] = ()

    @property
    def stages(self) -> int:
        """Number of stages that are built."""
        return self.steps[-1].stage if self.steps else 0


class StepTracker:
    """Follows a build through its steps.

    Attributes:
        step: the one that it is at; None before the first.
    """

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.step: Step | None = None
        self._next = 0

    def enter_stage(self, index: int = 0) -> None:
        """Record that the executor begins a stage; its index is counted from 0."""
        stages = (place for place, (text, _) in enumerate(self.steps.given) if text.startswith(f"{_FROM} "))
        place = next(islice(stages, index, None), -1)
        if place >= self._next:
            self.step, self._next = self.steps.given[place][1], place + 1

    def enter(self, instruction: str) -> None:
        """Record that the executor begins an instruction; a trigger of a base image (ONBUILD) is not a step."""
        for index in range(self._next, len(self.steps.given)):
            text, step = self.steps.given[index]
            if text == instruction:
                self.step, self._next = step, index + 1
                return

    def progress_line(self, mask: Callable[[str], str]) -> str:
        """The progress line of the current step; empty before the first."""
        return announcement(self.step, self.steps.stages, len(self.steps.steps), mask) if self.step else ""


def announcement(step: Step, stages: int, steps: int, mask: Callable[[str], str]) -> str:
    """The progress line of a step.

    Args:
        step: the step.
        stages: how many stages are built.
        steps: how many steps the build has.
        mask: hides secrets.
    """
    # Masked before it is cut: half a secret would not be recognised.
    instruction = "".join(c for c in mask(step.instruction) if c.isprintable())
    if len(instruction) > LONGEST:
        instruction = instruction[: LONGEST - 1] + "…"
    return str(ProgressLine(step.stage, stages, step.number, steps, instruction))


def plan_steps(
    own: Iterable[Stage], given: Iterable[Instruction] = (), counted: Collection[str] | None = None
) -> Steps:
    """The steps of a build.

    Args:
        own: the stages that are built, as the user wrote them.
        given: what the executor gets, at the lines of the user's file.
        counted: the keywords of those that are steps, besides FROM; None for all.
    """
    steps = list[Step]()
    for number, stage in enumerate(own, start=1):
        are_steps = (each for each in stage.instructions if counted is None or each.keyword in counted)
        for instruction in (stage.start, *are_steps):
            text = " ".join(instruction.text.split())
            steps.append(Step(len(steps) + 1, number, text, instruction.line))
    at = {step.line: step for step in steps}
    texts = ((" ".join(instruction.text.split()), instruction.line) for instruction in given)
    return Steps(tuple(steps), tuple((text, at[line]) for text, line in texts if line in at))
