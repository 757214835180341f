"""Variables of `warm`: which base images it downloads."""

from kaniko_shim.oci.platform import Platform
from kaniko_shim.registry.references import parse_reference
from kaniko_shim.request.platforms import parse_platform
from kaniko_shim.request.scalars import split_list
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.system.subcommand import Command

_WARMING = (Command.WARM,)


def _parse_images(text: str) -> tuple[str, ...]:
    names = split_list(text, ",")
    for name in names:
        try:
            parse_reference(name)
        except ValueError as error:
            raise ValueError(f"{name!r}: {error}") from error
    return tuple(dict.fromkeys(names))


def _parse_platforms(text: str) -> tuple[Platform, ...]:
    found = (parse_platform(item) for item in split_list(text, ","))
    return tuple(dict.fromkeys(platform for platform in found if platform))


CACHE_BASE_IMAGES = Variable(
    "CACHE_BASE_IMAGES",
    "Base images to download into `/kaniko/.base-images`, as a Dockerfile names them: a comma-separated list.",
    _parse_images,
    commands=_WARMING,
)
CACHE_BASE_IMAGE_PLATFORMS = Variable(
    "CACHE_BASE_IMAGE_PLATFORMS",
    "Platforms to download the base images for: a comma-separated list of `os/arch[/variant]`.",
    _parse_platforms,
    default_note="the platform that it runs on",
    commands=_WARMING,
)

BASE_IMAGE_TABLE: tuple[Variable[object], ...] = (CACHE_BASE_IMAGES, CACHE_BASE_IMAGE_PLATFORMS)
