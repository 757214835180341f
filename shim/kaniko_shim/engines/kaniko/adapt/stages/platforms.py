"""FROM --platform: an executor pulls every base for one platform, so another one is named by its digest."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.dockerfile.shell_words import expand
from kaniko_shim.dockerfile.stages import Stage, Stages
from kaniko_shim.engines.kaniko.adapt.capabilities import Support, read_platform
from kaniko_shim.oci.platform import Platform
from kaniko_shim.outcome.reasons import Reason

_SCRATCH = "scratch"
_ADVICE = "Write a platform such as linux/arm64, or $BUILDPLATFORM."


def bases_by_digest(
    stages: Stages,
    built: Iterable[Stage],
    support: Support,
    values: Mapping[str, str],
    find: Callable[[str, Platform], str],
    name: str,
) -> dict[int, str]:
    """The bases whose platform is not that of the image, by index of their stages.

    Args:
        stages: the Dockerfile's.
        built: those that are built; the last one makes the image.
        support: what the executor supports.
        values: those of the variables in FROM.
        find: gives the name by digest of an image for a platform.
        name: the Dockerfile's, for the message.

    Raises:
        JobError: DockerfileInvalid or DockerfileUnsupported, naming the line; or a registry's reason.
    """
    found = dict[int, str]()
    built = tuple(built)
    for stage in built:
        text = stage.start.flag("--platform")
        if not text:
            continue
        platform = _platform(text, stage.start, support, values, name)
        if stages.base(stage) or stage.base == _SCRATCH or platform == _normal(support.platform, support):
            continue
        if support.target is None and stage in stages.bases(built[-1]):
            raise refusal(
                Reason.DOCKERFILE_UNSUPPORTED,
                name,
                stage.start,
                f"the image would be for {platform.name}, but PLATFORM does not say so",
                f"Set PLATFORM={platform.name}, or remove --platform.",
            )
        found[stage.index] = find(stage.base, platform)
    return found


def warnings_about_platforms(
    stages: Stages,
    built: Iterable[Stage],
    support: Support,
    values: Mapping[str, str],
    own: Callable[[str, Platform], Platform | None],
    name: str,
) -> Iterator[str]:
    """Warnings about bases that are for another platform than their stage.

    A base that is no index is taken for every platform, by Docker too. Only where a platform is asked for is a base
    looked up for this.

    Args:
        stages: the Dockerfile's.
        built: those that are built.
        support: what the executor supports.
        values: those of the variables in FROM.
        own: gives the platform of an image for a platform by its own account.
        name: the Dockerfile's, for the message.
    """
    warned = set[tuple[str, Platform]]()
    for stage in built:
        text = stage.start.flag("--platform")
        if stages.base(stage) or stage.base == _SCRATCH or not (text or support.target):
            continue
        platform = _platform(text, stage.start, support, values, name) if text else _normal(support.platform, support)
        is_for = own(stage.base, platform)
        if is_for is None or (stage.base, platform) in warned:
            continue
        if (is_for.os, is_for.architecture) != (platform.os, platform.architecture):
            warned.add((stage.base, platform))
            yield (
                f"{name} line {stage.start.line}: {stage.base} is only for {is_for.name}, but the stage is for "
                f"{platform.name}. Its programs do not run there; use a base image for {platform.name}."
            )


def _platform(text: str, instruction: Instruction, support: Support, values: Mapping[str, str], name: str) -> Platform:
    try:
        value = expand(text, values)
        platform = read_platform(value, support.machine) if value else None
    except ValueError as error:
        raise refusal(Reason.DOCKERFILE_INVALID, name, instruction, f"--platform: {error}", _ADVICE) from error
    if platform is None:
        problem = f"--platform={text} is empty"
        raise refusal(Reason.DOCKERFILE_INVALID, name, instruction, problem, "Give its variable a default.")
    return platform


def _normal(platform: Platform, support: Support) -> Platform:
    return read_platform(platform.name, support.machine)
