"""Rewrites RUN where an executor interprets it differently from BuildKit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kaniko_shim.dockerfile.edits import Edit, replaced
from kaniko_shim.dockerfile.run.command import command_of, exec_form
from kaniko_shim.dockerfile.syntax.instruction import Instruction
from kaniko_shim.dockerfile.syntax.stages import DEFAULT_SHELL, Stages, shell_of

Shell = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RewrittenRuns:
    """The rewritten RUNs of a Dockerfile.

    Attributes:
        edits: what replaces them.
        files: what they need, by path below the directory of heredocs: content and mode.
    """

    edits: tuple[Edit, ...] = ()
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)


def rewrite_runs(stages: Stages, directory: str) -> RewrittenRuns:
    """Rewrite every RUN with heredocs to its exec form, also behind ONBUILD.

    The executors' own heredocs ignore SHELL, #! and `<<-`, or do nothing at all.

    Args:
        stages: the Dockerfile's.
        directory: where files of heredocs are to lie.
    """
    edits = list[Edit]()
    files = dict[str, tuple[str, int]]()
    for instruction, shell in _with_shells(stages):
        run = instruction.trigger or instruction
        if run.keyword != "RUN" or not instruction.heredocs:
            continue
        command = command_of(run, instruction.heredocs, shell, directory)
        files |= command.files
        head = f"{_head(instruction)}{_head(run)}" if instruction.trigger else _head(instruction)
        edits.append(replaced(instruction, head + exec_form(command.words)))
    return RewrittenRuns(tuple(edits), files)


def _with_shells(stages: Stages) -> Iterator[tuple[Instruction, Shell]]:
    """Each instruction with the SHELL that is in force; for a trigger, that is the stage's last one."""
    last = dict[int, Shell]()
    for stage in stages.stages:
        base = stages.base(stage)
        shell = last[base.index] if base else DEFAULT_SHELL
        set_here = [found for each in stage.instructions if (found := shell_of(each))]
        last[stage.index] = set_here[-1] if set_here else shell
        for instruction in stage.instructions:
            shell = shell_of(instruction) or shell
            yield instruction, last[stage.index] if instruction.trigger else shell


def _head(instruction: Instruction) -> str:
    return instruction.head if instruction.head[-1:].isspace() else f"{instruction.head} "
