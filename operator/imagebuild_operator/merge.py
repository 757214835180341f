"""How the operator's defaults and a build's own words become one."""

from collections.abc import Sequence

from imagebuild_operator.model import Registry


def merge_registries(asked: Sequence[Registry], defaults: Sequence[Registry]) -> tuple[Registry, ...]:
    """The build's registries, then the defaults for hosts that it does not name.

    The executor can't both map one host and mirror another with a way back, so a build that maps leaves out the
    mirrors of the defaults, and one that mirrors leaves out their maps.
    """
    named = {registry.host for registry in asked}
    others = tuple(registry for registry in defaults if registry.host not in named)
    if any(registry.map_to for registry in asked):
        others = tuple(registry for registry in others if not registry.mirrors)
    if any(registry.mirrors for registry in asked):
        others = tuple(registry for registry in others if not registry.map_to)
    return (*asked, *others)
