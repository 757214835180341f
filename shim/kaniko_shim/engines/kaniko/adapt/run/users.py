"""RUNs behind a USER that an executor gives other groups than Docker: a program makes root become that user.

For a number without a group an executor takes the same number for the group where Docker takes that of /etc/passwd, or
0; with a group, an old executor leaves it out, and others add the user's own groups.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.stages import Stage, Stages
from kaniko_shim.engines.kaniko.adapt.draft import Edit, replaced
from kaniko_shim.engines.kaniko.adapt.run.command import command_of, exec_form
from kaniko_shim.engines.kaniko.adapt.run.shells import ImageShell, Shell, with_shells

PROGRAM = "/kaniko/.Shim/bin/as-user"
"""The program that such a RUN starts; its arguments are the user, what to do with HOME, and the user's command."""

ImageUser = Callable[[str], str | None]
"""Gives the USER that an image sets, empty for root; None if it cannot be found."""

KEEP_HOME, OWN_HOME = "keep", "own"

_NOT_PLAIN = frozenset("$'\"\\`")
_ROOT = "0"


@dataclass(frozen=True, slots=True)
class RewrittenUsers:
    """The rewritten RUNs.

    Attributes:
        edits: what replaces them.
        given: by an instruction as the executor would have logged it: what it logs now, in one stage or another.
        left: RUNs that stay as they are, since LD_PRELOAD would bring libraries of the image into the program.
    """

    edits: tuple[Edit, ...] = ()
    given: Mapping[str, frozenset[str]] = field(default_factory=dict)
    left: tuple[Instruction, ...] = ()


def rewrite_users(
    stages: Stages, has: Callable[[Instruction, str], bool], shell_of_image: ImageShell = lambda _: ()
) -> RewrittenUsers:
    """Rewrite the RUNs whose USER is a number or has a group; no RUN has heredocs any more.

    Args:
        stages: the Dockerfile's.
        has: whether a RUN has a variable, by its name.
        shell_of_image: looks up the SHELL that a base image sets.
    """
    edits = list[Edit]()
    given = dict[str, frozenset[str]]()
    left = list[Instruction]()
    for instruction, user, shell in _with_users(stages, shell_of_image):
        command = command_of(instruction, (), shell.words, "")
        if not command.words:
            continue
        if has(instruction, "LD_PRELOAD"):
            left.append(instruction)
            continue
        home = KEEP_HOME if has(instruction, "HOME") else OWN_HOME
        head = instruction.head if instruction.head[-1:].isspace() else f"{instruction.head} "
        text = head + exec_form((PROGRAM, user, home, *command.words))
        edits.append(replaced(instruction, f"USER {_ROOT}\n{text}\nUSER {user}"))
        before = _logged(instruction.text)
        given[before] = given.get(before, frozenset()) | {_logged(text)}
    return RewrittenUsers(tuple(edits), given, tuple(left))


def users_of(stages: Stages, look_up: ImageUser = lambda _: "") -> dict[int, str | None]:
    """The USER in force at each RUN with --mount, by the identity of the instruction; None if it is not known."""
    found = dict[int, str | None]()
    for stage, instruction, user in _walk(stages):
        if instruction.keyword != "RUN" or "--mount" not in instruction.text:
            continue
        named = user if user is not None else "" if stage.base == "scratch" else look_up(_image(stages, stage))
        found[id(instruction)] = named if named is not None and _NOT_PLAIN.isdisjoint(named) else None
    return found


def _image(stages: Stages, stage: Stage) -> str:
    while base := stages.base(stage):
        stage = base
    return stage.base


def _walk(stages: Stages) -> Iterator[tuple[Stage, Instruction, str | None]]:
    """Each instruction with the USER before it; None for that of the base image."""
    users = dict[int, str | None]()
    for stage in stages.stages:
        base = stages.base(stage)
        user = users[base.index] if base else None
        for instruction in stage.instructions:
            if instruction.keyword == "USER":
                user = instruction.rest
            yield stage, instruction, user
        users[stage.index] = user


def _with_users(stages: Stages, shell_of_image: ImageShell) -> Iterator[tuple[Instruction, str, Shell]]:
    """Each RUN to rewrite, with its user and its shell."""
    shells = {id(instruction): shell for instruction, shell in with_shells(stages, shell_of_image)}
    for _, instruction, user in _walk(stages):
        if instruction.keyword == "RUN" and not instruction.heredocs and user is not None and _is_misread(user):
            yield instruction, user, shells[id(instruction)]


def _is_misread(user: str) -> bool:
    if not _NOT_PLAIN.isdisjoint(user):
        # Its variables are not known.
        return False
    return ":" in user or (user.isascii() and user.isdigit() and int(user[:12]) != 0)


def _logged(text: str) -> str:
    return " ".join(text.split())
