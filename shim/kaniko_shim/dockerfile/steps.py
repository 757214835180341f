"""Which step a build is at, and of how many, in a form that programs read from the log's last lines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kaniko_shim.dockerfile.syntax.instruction import Instruction
from kaniko_shim.dockerfile.syntax.stages import split_stages

LONGEST = 80
"""Characters of an instruction in the log."""

_FROM = "FROM"


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of those that are built; FROM is one.

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
        """How many stages are built."""
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

    def enter_stage(self) -> None:
        """The executor begins a stage."""
        self._go(lambda text: text.startswith(f"{_FROM} "))

    def enter(self, instruction: str) -> None:
        """The executor begins an instruction; one that the Dockerfile does not have (ONBUILD) is no step."""
        self._go(lambda text: text == instruction)

    def _go(self, is_there: Callable[[str], bool]) -> None:
        for index in range(self._next, len(self.steps.given)):
            text, step = self.steps.given[index]
            if is_there(text):
                self.step, self._next = step, index + 1
                return

    def progress_line(self, mask: Callable[[str], str]) -> str:
        """The line of the log for the step that it is at; empty before the first."""
        if self.step is None:
            return ""
        # Masked before it is cut: of half a secret nothing would be known.
        instruction = "".join(c for c in mask(self.step.instruction) if c.isprintable())
        if len(instruction) > LONGEST:
            instruction = instruction[: LONGEST - 1] + "…"
        line = f"progress: stage={self.step.stage}/{self.steps.stages} step={self.step.number}/{len(self.steps.steps)}"
        return f'{line} instruction="{instruction}"'


def plan_steps(own: Sequence[Instruction], given: Sequence[Instruction], target: str, *, skips_unused: bool) -> Steps:
    """The steps of a build.

    Args:
        own: the user's Dockerfile.
        given: what the executor gets, at the lines of the user's.
        target: the stage that is wanted; empty for the last.
        skips_unused: whether the executor leaves out stages that the target does not need.
    """
    stages = split_stages(own)
    steps = list[Step]()
    for number, stage in enumerate(stages.built(target, skips_unused=skips_unused), start=1):
        for instruction in (stage.start, *stage.instructions):
            text = " ".join(instruction.text.split())
            steps.append(Step(len(steps) + 1, number, text, instruction.line))
    at = {step.line: step for step in steps}
    texts = ((" ".join(instruction.text.split()), instruction.line) for instruction in given)
    return Steps(tuple(steps), tuple((text, at[line]) for text, line in texts if line in at))
