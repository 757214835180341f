"""Checks the mounts of RUNs before anything is built."""

from collections.abc import Collection, Iterable, Iterator

from imagebuild_vocabulary.remedies import Remedy

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.dockerfile.stages import place_of
from kaniko_shim.dockerfile.words import plain_words
from kaniko_shim.engines.kaniko.adapt.run.mounted import without_values
from kaniko_shim.engines.kaniko.adapt.run.mounts import Mount, MountType, has_variable, mount_texts
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
            if _is_missing(mount, text, secrets):
                problem = f"the build has no secret {mount.secret_id!r}, which this RUN requires"
                advice = _how_to_give(mount.secret_id)
                raise refusal(Reason.INVALID_SPEC, name, instruction, problem, advice, Remedy.BUILD_SECRET)


def unused_secrets(instructions: Iterable[Instruction], secrets: Collection[str]) -> Iterator[str]:
    """A warning for each build secret that no RUN mounts.

    Args:
        instructions: those that are built.
        secrets: the ids of the build secrets.
    """
    texts = [text for each in instructions if each.keyword == "RUN" for text in mount_texts(each)]
    if any(has_variable(text) for text in texts):
        return
    used = {mount.secret_id for text in texts if (mount := without_values(text)).type is MountType.SECRET}
    for secret in sorted(set(secrets) - used):
        yield f"No RUN mounts the build secret {secret}. Use it with RUN --mount=type=secret,id={secret}, or remove it."


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


def _is_missing(mount: Mount, text: str, secrets: Collection[str]) -> bool:
    is_known = mount.type is MountType.SECRET and mount.required and not has_variable(text)
    return is_known and mount.secret_id not in secrets


def _how_to_give(secret: str) -> str:
    return f"Set BUILD_SECRET_{secret} to its value in base64, or list it in buildSecrets of the ImageBuild."
