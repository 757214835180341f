"""How registries are reached: plain HTTP, unverified certificates, mirrors and maps."""

from collections.abc import Callable
from dataclasses import dataclass

from kaniko_shim.registry.references import DOCKER_HUB, is_docker_hub, parse_mirror, parse_registry
from kaniko_shim.request.scalars import split_list


@dataclass(frozen=True, slots=True)
class RegistryMap:
    """Images of `host` are fetched from `mirror` instead."""

    host: str
    mirror: str


@dataclass(frozen=True, slots=True)
class Registries:
    """Everything that a request says about registries.

    Attributes:
        insecure: hosts that speak plain HTTP.
        skip_tls_verify: hosts whose certificate is not verified.
        mirrors: Docker Hub's mirrors, tried in order.
        maps: mirrors of other registries, tried in order.
        authorities: certificates (PEM) that are trusted beside the usual ones, or empty.
        skip_fallback: mirrors and maps only, never the registry itself.
    """

    insecure: tuple[str, ...] = ()
    skip_tls_verify: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()
    maps: tuple[RegistryMap, ...] = ()
    skip_fallback: bool = False
    authorities: str = ""

    def is_lenient(self, registry: str) -> bool:
        """Whether a registry may be reached without a verified certificate."""
        return registry in self.insecure or registry in self.skip_tls_verify


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
        raise ValueError("join several mirrors with a comma, not with ;")
    return tuple(dict.fromkeys(_each(item, parse_mirror) for item in split_list(text, ",")))


def parse_maps(text: str) -> tuple[RegistryMap, ...]:
    """Read `,`-joined `host=mirror[/path]`; a host may have several mirrors, tried in order.

    Raises:
        ValueError: names the pair that is wrong.
    """
    if ";" in text:
        raise ValueError("join several maps with a comma, not with ;")
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
