"""Rules that merge the registries and the resources of a build with those of defaults."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from imagebuild_operator.api.build import Registry

Entry = TypeVar("Entry")


def merge_registries(
    asked: Sequence[Entry], defaults: Sequence[Entry], read: Callable[[Entry], Registry]
) -> tuple[Entry, ...]:
    """Merge registries: the build's, then the defaults for other hosts.

    The executor supports either maps or mirrors in one build. So the defaults' mirrors are left out if the build maps a
    host, and their maps if the build has mirrors.

    Args:
        asked: The entries of the build.
        defaults: The entries of the defaults.
        read: Parses an entry.
    """
    own = [read(entry) for entry in asked]
    named = {registry.host for registry in own}
    maps, mirrors = any(registry.map_to for registry in own), any(registry.mirrors for registry in own)
    return (*asked, *(entry for entry in defaults if _fits(read(entry), named, maps=maps, mirrors=mirrors)))


def _fits(default: Registry, named: set[str], *, maps: bool, mirrors: bool) -> bool:
    return default.host not in named and not (maps and default.mirrors) and not (mirrors and default.map_to)


def merge_resources(own: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """Merge requests and limits: the defaults count for resources for which the build sets neither.

    Otherwise a request of the defaults could exceed a limit of the build, and the pod would be rejected.
    """
    said = {name for quantities in own.values() for name in quantities}
    merged = {
        kind: {
            **{name: quantity for name, quantity in (default.get(kind) or {}).items() if name not in said},
            **(own.get(kind) or {}),
        }
        for kind in dict.fromkeys((*own, *default))
    }
    return {kind: quantities for kind, quantities in merged.items() if quantities or kind in own}
