"""The table of features that an executor would silently ignore or misread: refused, or reported as warnings."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.parse import frontend_directive, parse_heredoc
from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.config.escapes import is_misread
from kaniko_shim.engines.kaniko.adapt.copy.words import NO_REPOSITORIES, is_repository
from kaniko_shim.engines.kaniko.adapt.run.command import is_program
from kaniko_shim.outcome.reasons import Reason

_COPYING = frozenset({"COPY", "ADD"})
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class _Build:
    """The executor, and the Dockerfile's escape character."""

    support: Support
    escape: str = "\\"


@dataclass(frozen=True, slots=True)
class _Feature:
    """A feature that an executor ignores or misreads.

    Attributes:
        keywords: the instructions that it may be a part of.
        is_there: whether an instruction has it, in a build.
        problem: what would happen.
        advice: what to write instead.
        fatal: whether the build is refused; if not, there is a warning.
    """

    keywords: frozenset[str]
    is_there: Callable[[Instruction, _Build], bool]
    problem: str
    advice: str
    fatal: bool = True


def _has(*names: str) -> Callable[[Instruction, _Build], bool]:
    return lambda instruction, _: any(instruction.flag(name) is not None for name in names)


def _adds_git(instruction: Instruction, _: _Build) -> bool:
    return any(is_repository(word.strip("[]\"',")) for word in instruction.rest.split())


def _selects_from_stage(instruction: Instruction, _: _Build) -> bool:
    selects = any(instruction.flag(name) is not None for name in ("--parents", "--exclude"))
    return selects and instruction.flag("--from") is not None


def _selects_in_trigger(instruction: Instruction, _: _Build) -> bool:
    trigger = instruction.trigger
    return trigger is not None and any(trigger.flag(name) is not None for name in ("--parents", "--exclude"))


def _own_heredoc(instruction: Instruction, _: _Build) -> bool:
    trigger = instruction.trigger
    if not instruction.heredocs or trigger is None:
        return False
    return trigger.keyword != "RUN" or (bool(parse_heredoc(trigger.rest)) and is_program(instruction.heredocs[0]))


def _strange_heredoc(instruction: Instruction, build: _Build) -> bool:
    names = (heredoc.word for heredoc in instruction.heredocs)
    return build.support.is_old and not all(_PLAIN_NAME.fullmatch(name) for name in names)


_TABLE = (
    _Feature(
        frozenset({"ADD", "ARG", "COPY", "ENV", "STOPSIGNAL", "VOLUME"}),
        lambda instruction, build: is_misread(instruction, build.escape),
        "this executor takes the backslash for the escape character here, whatever # escape= says",
        "Remove # escape=, and escape with the backslash.",
    ),
    _Feature(
        frozenset({"MAINTAINER"}),
        lambda _instruction, _build: True,
        "this executor leaves out the image's author",
        "Use LABEL org.opencontainers.image.authors=….",
        fatal=False,
    ),
    _Feature(
        frozenset({"ONBUILD"}),
        _own_heredoc,
        "a heredoc of this ONBUILD would be a file of this build, which the later build does not have",
        "In ONBUILD, use only heredocs of RUN that are scripts for the shell.",
    ),
    _Feature(
        _COPYING,
        _strange_heredoc,
        "the word of a heredoc becomes a file name here, and may contain only letters, digits, dots, hyphens and "
        "underscores",
        "Choose another word.",
    ),
    _Feature(
        frozenset({"RUN"}),
        lambda instruction, _: (instruction.flag("--network") or "") == "none",
        "this executor silently ignores RUN --network=none: the step would have network access",
        "Remove the flag, or restrict the builder's pod with a NetworkPolicy.",
    ),
    _Feature(
        frozenset({"RUN"}),
        lambda instruction, _: (
            instruction.flag("--security") not in {None, "sandbox"} or instruction.flag("--device") is not None
        ),
        "this executor cannot give privileges or devices to a RUN",
        "Remove --security and --device.",
    ),
    _Feature(
        _COPYING,
        _selects_from_stage,
        "this executor does not support --parents and --exclude together with --from",
        "COPY each directory separately, or remove what is not wanted in a RUN of the other stage.",
    ),
    _Feature(
        frozenset({"ONBUILD"}),
        _selects_in_trigger,
        "this executor does not support --parents and --exclude in a trigger",
        "COPY each directory separately.",
    ),
    _Feature(
        frozenset({"ADD"}),
        _has("--checksum"),
        "this executor does not verify ADD --checksum",
        "Download the file in a RUN and verify it there with sha256sum -c.",
    ),
    _Feature(
        frozenset({"ADD"}),
        _has("--unpack"),
        "this executor does not support --unpack: it unpacks local archives only",
        "COPY an archive that is to stay one, and use tar in a RUN for a downloaded one.",
    ),
    _Feature(
        frozenset({"ADD"}),
        _has("--keep-git-dir"),
        "this executor does not clone repositories",
        "Make the repository the build context, or clone it in a RUN.",
    ),
    _Feature(
        frozenset({"ADD"}),
        _adds_git,
        *NO_REPOSITORIES,
    ),
    _Feature(
        frozenset({"HEALTHCHECK"}),
        _has("--start-interval"),
        "this executor ignores --start-interval",
        "Use --interval.",
        fatal=False,
    ),
)


def warn_of_checks(content: bytes, name: str) -> Iterator[str]:
    """A warning if the Dockerfile asks for build checks that fail the build, which only Docker's frontend runs."""
    value, line = frontend_directive(content, "check")
    if re.search(r"(?:^|;)\s*error\s*=\s*true\s*(?:;|$)", value, re.IGNORECASE):
        yield (
            f"{name} line {line}: # check={value} has no effect, since this executor runs no build checks. Run "
            "docker build --check before."
        )


def refuse_unsupported(instructions: Iterable[Instruction], support: Support, name: str, escape: str = "\\") -> None:
    """Refuse features that the executor would silently ignore or misread, also after ONBUILD.

    Args:
        instructions: those that are built.
        support: what the executor makes of them.
        name: the Dockerfile's, for the message.
        escape: its escape character.

    Raises:
        JobError: DockerfileUnsupported, naming the file and the line.
    """
    for instruction, feature in _found(instructions, _Build(support, escape)):
        if feature.fatal:
            raise refusal(Reason.DOCKERFILE_UNSUPPORTED, name, instruction, feature.problem, feature.advice)


def warnings_about(instructions: Iterable[Instruction], support: Support, name: str) -> Iterator[str]:
    """Warnings about features that the executor treats differently from Docker, though the image is usable."""
    for instruction, feature in _found(instructions, _Build(support)):
        if not feature.fatal:
            yield f"{name} line {instruction.line}: {feature.problem}. {feature.advice}"


def _found(instructions: Iterable[Instruction], build: _Build) -> Iterator[tuple[Instruction, _Feature]]:
    for instruction in instructions:
        for meant in (instruction, instruction.trigger):
            for feature in _TABLE:
                if meant and meant.keyword in feature.keywords and feature.is_there(meant, build):
                    yield instruction, feature
