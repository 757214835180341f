"""Checks the mounts of RUNs before anything is built."""

from collections.abc import Collection, Iterable, Iterator

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.mount_secrets import refuse_missing_secrets
from kaniko_shim.dockerfile.mounts import Mount, MountType, has_variable, mount_texts, without_values
from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.dockerfile.stages import place_of
from kaniko_shim.dockerfile.words import plain_words
from kaniko_shim.outcome.reasons import Reason

_WORDS_WITH_NAME = 3


def refuse_mounts(instructions: Iterable[Instruction], secrets: Collection[str], name: str) -> None:
    """Refuse mounts that are malformed or cannot be made, and required secrets that are missing.

    Args:
        instructions: those that are built.
        secrets: the ids of the build secrets.
        name: the Dockerfile's, for the message.

    Raises:
        JobError: DockerfileInvalid, DockerfileUnsupported or InvalidSpec, naming the line.
    """
    instructions = tuple(instructions)
    stages = set(_stage_names(instructions))
    for instruction in instructions:
        for text in mount_texts(instruction) if instruction.keyword == "RUN" else ():
            try:
                mount = without_values(text)
            except ValueError as error:
                problem = f"--mount={text}: {error}"
                raise refusal(Reason.DOCKERFILE_INVALID, name, instruction, problem, "Correct the flag.") from error
            if found := _impossible(mount, stages, later=has_variable(text)):
                raise refusal(Reason.DOCKERFILE_UNSUPPORTED, name, instruction, *found)
    refuse_missing_secrets(instructions, secrets, name)


def _stage_names(instructions: Iterable[Instruction]) -> Iterator[str]:
    for number, instruction in enumerate(each for each in instructions if each.keyword == "FROM"):
        words = plain_words(instruction.rest)
        yield str(number)
        if len(words) == _WORDS_WITH_NAME:
            yield words[-1].lower()


def _impossible(mount: Mount, stages: Collection[str], *, later: bool) -> tuple[str, str] | None:
    """What is wrong with a mount that is well-formed, and what to write instead; `later`: it depends on variables."""
    if mount.type is MountType.SSH:
        return (
            "RUN --mount=type=ssh needs an SSH agent outside of the build, which a build in a pod does not have",
            "Mount a deploy key as a build secret (type=secret), and name it in GIT_SSH_COMMAND.",
        )
    if mount.type is MountType.CACHE and (mount.origin or mount.source):
        return (
            "the builder cannot fill a cache mount from a stage, an image or a directory of the cache",
            "Remove from and source; fill the cache in the RUN if it is empty.",
        )
    if mount.type is MountType.BIND and mount.origin.lower() in stages and place_of(mount.source) == "." and not later:
        return (
            "the builder cannot mount all of a stage, which would include the system's own directories",
            "Name the directory that the RUN needs: --mount=type=bind,from=STAGE,source=/DIRECTORY.",
        )
    if mount.type is MountType.TMPFS and (mount.origin or mount.source):
        return "a tmpfs mount is empty and has no source", "Remove from and source."
    return None
