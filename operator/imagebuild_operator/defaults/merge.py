"""How defaults and a build's own words become one, where a field has a rule of its own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from imagebuild_operator.api.build import Registry

Entry = TypeVar("Entry")


def merge_registries(
    asked: Sequence[Entry], defaults: Sequence[Entry], read: Callable[[Entry], Registry]
) -> tuple[Entry, ...]:
    """The build's registries, then the defaults for hosts that it does not name.

    The executor can't both map one host and mirror another with a way back, so a build that maps leaves out the
    mirrors of the defaults, and one that mirrors leaves out their maps.

    Args:
        asked: The build's.
        defaults: The defaults.
        read: Gives the meaning of an entry.
    """
    own = [read(entry) for entry in asked]
    named = {registry.host for registry in own}
    maps, mirrors = any(registry.map_to for registry in own), any(registry.mirrors for registry in own)
    return (*asked, *(entry for entry in defaults if _fits(read(entry), named, maps=maps, mirrors=mirrors)))


def _fits(default: Registry, named: set[str], *, maps: bool, mirrors: bool) -> bool:
    return default.host not in named and not (maps and default.mirrors) and not (mirrors and default.map_to)


def merge_resources(own: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """Requests and limits: the defaults count for resources of which the build says neither.

    A request of the defaults beside a limit of the build's could be the larger, and the pod would be refused.
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
