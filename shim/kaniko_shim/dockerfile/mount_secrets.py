"""The build secrets that RUNs mount, beside those that the build has."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from imagebuild_vocabulary.remedies import Remedy

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.mounts import Mount, MountType, has_variable, mount_texts, without_values
from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.outcome.reasons import Reason


def refuse_missing_secrets(instructions: Iterable[Instruction], secrets: Collection[str], name: str) -> None:
    """Refuse a RUN that requires a secret which the build does not have.

    Args:
        instructions: those that are built, their mounts well-formed.
        secrets: the ids of the build secrets.
        name: the Dockerfile's, for the message.

    Raises:
        JobError: InvalidSpec, naming the line.
    """
    for instruction in instructions:
        for text in mount_texts(instruction) if instruction.keyword == "RUN" else ():
            mount = without_values(text)
            if _is_missing(mount, text, secrets):
                problem = f"the build has no secret {mount.secret_id!r}, which this RUN requires"
                advice = _how_to_give(mount.secret_id)
                raise refusal(Reason.INVALID_SPEC, name, instruction, problem, advice, Remedy.BUILD_SECRET)


def unused_secrets(instructions: Sequence[Instruction], secrets: Collection[str]) -> Iterator[str]:
    """A warning for each build secret that no RUN mounts, as a secret or as an SSH key.

    Args:
        instructions: those that are built.
        secrets: the ids of the build secrets.
    """
    texts = [text for each in instructions if each.keyword == "RUN" for text in mount_texts(each)]
    if any(has_variable(text) for text in texts):
        return
    used = {mount.secret_id for text in texts if (mount := without_values(text)).type is MountType.SECRET}
    used |= ssh_keys(instructions)
    for secret in sorted(set(secrets) - used):
        yield f"No RUN mounts the build secret {secret}. Use it with RUN --mount=type=secret,id={secret}, or remove it."


def ssh_keys(instructions: Iterable[Instruction]) -> frozenset[str]:
    """The ids of the SSH keys that RUNs mount; `default` where they say none."""
    texts = [text for each in instructions if each.keyword == "RUN" for text in mount_texts(each)]
    mounts = [without_values(text) for text in texts]
    return frozenset(mount.id or "default" for mount in mounts if mount.type is MountType.SSH)


def _is_missing(mount: Mount, text: str, secrets: Collection[str]) -> bool:
    is_known = mount.type is MountType.SECRET and mount.required and not has_variable(text)
    return is_known and mount.secret_id not in secrets


def _how_to_give(secret: str) -> str:
    return f"Set BUILD_SECRET_{secret} to its value in base64, or list it in buildSecrets of the ImageBuild."
