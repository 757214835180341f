"""Reads lists of registries, mirrors and maps from variables."""

from collections.abc import Callable

from kaniko_shim.registry.references import DOCKER_HUB, is_docker_hub, parse_mirror, parse_registry
from kaniko_shim.registry.registries import RegistryMap
from kaniko_shim.request.scalars import split_list


def parse_registries(text: str) -> tuple[str, ...]:
    """Read `;`-joined hosts; `,` is accepted too.

    Raises:
        ValueError: names the host that is wrong.
    """
    return tuple(dict.fromkeys(_each(item, parse_registry) for item in split_list(text, ";,")))


def parse_mirrors(text: str) -> tuple[str, ...]:
    """Read `,`-joined mirrors of Docker Hub.

    Raises:
        ValueError: names the mirror that is wrong.
    """
    if ";" in text:
        raise ValueError("separate mirrors with commas, not with ;")
    return tuple(dict.fromkeys(_each(item, parse_mirror) for item in split_list(text, ",")))


def parse_maps(text: str) -> tuple[RegistryMap, ...]:
    """Read `,`-joined `host=mirror[/path]`; a host may have several mirrors, tried in order.

    Raises:
        ValueError: names the pair that is wrong.
    """
    if ";" in text:
        raise ValueError("separate maps with commas, not with ;")
    maps = dict[RegistryMap, None]()
    for item in split_list(text, ","):
        sides = [side.strip() for side in item.split("=")]
        if len(sides) != 2 or not all(sides):  # noqa: PLR2004 - the two sides of one =
            raise ValueError(f"{item!r}: write host=mirror/path, with one =")
        host = _each(sides[0], parse_registry)
        # The executor knows Docker Hub under this name only.
        host = DOCKER_HUB if is_docker_hub(host) else host
        maps[RegistryMap(host, _each(sides[1], parse_mirror))] = None
    return tuple(maps)


def _each(item: str, parse: Callable[[str], str]) -> str:
    try:
        return parse(item)
    except ValueError as error:
        raise ValueError(f"{item!r}: {error}") from error
