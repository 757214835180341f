"""The base images that a build may have. Pure."""

from collections.abc import Collection
from contextlib import suppress

from imagebuild_vocabulary.image_names import covers
from imagebuild_vocabulary.remedies import Remedy

from kaniko_shim.outcome.errors import Failure
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.references import parse_reference

_SCRATCH = "scratch"
#: What is said of a base image that is not allowed, and what to do.
NOT_ALLOWED = "The base image {image} is not allowed here: use one of {allowed}"
NAME_ANOTHER = "Name another image in FROM or --from."


def parse_allowed(text: str) -> tuple[str, ...]:
    """Read ALLOWED_BASE_IMAGES.

    Raises:
        ValueError: names the entry that is wrong.
    """
    entries = tuple(each.strip().rstrip("/") for each in text.split(",") if each.strip())
    for entry in entries:
        host, _, path = entry.partition("/")
        if entry != _SCRATCH and "." not in host and ":" not in host:
            raise ValueError(f"{entry!r}: begin with the registry, such as docker.io/library/{path or host}")
        if any(character in entry for character in "* \t"):
            raise ValueError(f"{entry!r}: write host[:port][/path], which stands for all that is below, without *")
    return entries


def is_allowed(image: str, allowed: Collection[str]) -> bool:
    """Whether a build may use an image.

    Args:
        image: its name, as a Dockerfile has it.
        allowed: the entries of ALLOWED_BASE_IMAGES.
    """
    try:
        name = parse_reference(image).familiar
    except ValueError:
        return False
    return any(covers(each, name) for each in allowed)


def not_allowed(image: str, allowed: Collection[str]) -> Failure:
    """The failure of a build with an image that is not allowed."""
    with suppress(ValueError):
        image = parse_reference(image).familiar
    return Failure(
        Reason.INVALID_SPEC,
        f"{NOT_ALLOWED.format(image=image, allowed=', '.join(allowed))}.",
        hint=NAME_ANOTHER,
        remedy=Remedy.BASE_IMAGE,
    )
