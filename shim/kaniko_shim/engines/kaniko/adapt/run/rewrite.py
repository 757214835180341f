"""Rewrites RUN where an executor interprets it differently from BuildKit."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.mounts import mount_texts
from kaniko_shim.dockerfile.stages import Stages
from kaniko_shim.engines.kaniko.adapt.draft import Edit, inserted, replaced
from kaniko_shim.engines.kaniko.adapt.run.command import command_of, exec_form
from kaniko_shim.engines.kaniko.adapt.run.mounted import PROGRAM, MountedRun, copy_before, mounted_run, with_source
from kaniko_shim.engines.kaniko.adapt.run.shells import ImageShell, with_shells
from kaniko_shim.engines.kaniko.adapt.run.users import ImageUser, users_of


@dataclass(frozen=True, slots=True)
class RewrittenRuns:
    """The rewritten RUNs of a Dockerfile.

    Attributes:
        edits: what replaces them.
        files: what they need, by path below the directory of heredocs: content and mode.
        mounted: those with mounts, in order.
    """

    edits: tuple[Edit, ...] = ()
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    mounted: tuple[MountedRun, ...] = ()


class MountSourceError(Exception):
    """What is wrong with the source of a bind mount."""

    def __init__(self, instruction: Instruction, problem: str) -> None:
        super().__init__(problem)
        self.instruction = instruction


def rewrite_runs(
    stages: Stages,
    directory: str,
    digest_of: Callable[[str], str] | None = None,
    shell_of_image: ImageShell = lambda _: (),
    user_of_image: ImageUser = lambda _: None,
    expanded: Callable[[Instruction, str], str | None] = lambda _, word: word,
) -> RewrittenRuns:
    """Rewrite every RUN with heredocs or mounts to its exec form.

    The executors' own heredocs ignore SHELL, #! and `<<-`, or do nothing at all; so heredocs are rewritten behind
    ONBUILD too. A RUN with mounts starts a program that asks the shim for them.

    Args:
        stages: the Dockerfile's.
        directory: where files of heredocs are to lie.
        digest_of: a digest of the content of a path in the context; None if layers are not cached.
        shell_of_image: looks up the SHELL that a base image sets.
        user_of_image: looks up the USER that a base image sets.
        expanded: expands the variables of a word of an instruction; None if one is not known before the build.

    Raises:
        MountSourceError: the source of a bind mount cannot be copied.
    """
    edits = list[Edit]()
    files = dict[str, tuple[str, int]]()
    mounted = list[MountedRun]()
    users = users_of(stages, user_of_image)
    for instruction, shell in with_shells(stages, shell_of_image):
        run = instruction.trigger or instruction
        try:
            mounts = [
                with_source(text, functools.partial(expanded, instruction))
                for text in (mount_texts(run) if run.keyword == "RUN" and not instruction.trigger else ())
            ]
        except ValueError as error:
            raise MountSourceError(instruction, str(error)) from error
        if run.keyword != "RUN":
            continue
        if not (instruction.heredocs or mounts):
            if instruction.flag("--security") is not None:
                # Its default, which executors do not know.
                edits.append(replaced(instruction, _head(instruction) + instruction.rest))
            continue
        command = command_of(run, instruction.heredocs, shell.words, directory)
        if mounts:
            try:
                plan = mounted_run(command.words, mounts, digest_of)
            except ValueError:
                # Refused already, if it is built.
                continue
            edits += (inserted(instruction, copy_before(plan, number)) for number in plan.copied)
            text = f"RUN {exec_form((PROGRAM, plan.key, *plan.words))}"
            edits.append(replaced(instruction, text))
            given = frozenset({" ".join(text.split())})
            mounted.append(replace(plan, given=given, user=users.get(id(instruction))))
            files |= command.files
            continue
        files |= command.files
        head = f"{_head(instruction)}{_head(run)}" if instruction.trigger else _head(instruction)
        edits.append(replaced(instruction, head + exec_form(command.words)))
    return RewrittenRuns(tuple(edits), files, tuple(mounted))


def _head(instruction: Instruction) -> str:
    head = instruction.head_without({"--security"})
    return head if head[-1:].isspace() else f"{head} "
