"""What a build is built with: its own spec, and the defaults of its namespace for what it does not say.

Both are as the API server holds them, and so is the result; `docs/defaults.md` has the rules as a table.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from imagebuild_operator.api.build import DEFAULT_TIMEOUT, Bounds, ImageBuild
from imagebuild_operator.api.parse import parse_registry
from imagebuild_operator.defaults.merge import merge_registries, merge_resources
from imagebuild_operator.defaults.namespace import NamespaceDefaults

Json = Mapping[str, Any]
#: The build's own value and the default's, where both have one, to the value that counts.
Rule = Callable[[Any, Any], Any]

#: Fields that an ImageBuildDefaults spells and places as an ImageBuild does.
SHARED: Final = ("registries", "proxy", "cache", "pullSecretRefs", "podTemplate", "retry", "timeoutSeconds")

#: Fields that stand in an ImageBuild's output.
OF_OUTPUT: Final = ("pushSecretRef", "attestations", "signing")


def with_defaults(build: ImageBuild, defaults: NamespaceDefaults) -> ImageBuild:
    """A build with its effective spec: with today's defaults, or, once it has begun, with those it has begun with."""
    if build.has_begun:
        added = build.status.get("effectiveSpec") or {}
        return replace(build, spec=with_additions(build.spec, added), additions=added, bounds=Bounds())
    added = additions(build.spec, effective_spec(build.spec, defaults.spec))
    return replace(build, spec=with_additions(build.spec, added), additions=added, bounds=defaults.bounds)


def effective_spec(spec: Json, defaults: Json) -> dict[str, Any]:
    """The spec of an ImageBuild, filled up with that of an ImageBuildDefaults. What the build says always stays."""
    return dict(_SPEC(spec, _as_build(defaults)))


def additions(spec: Json, effective: Json) -> dict[str, Any]:
    """What an effective spec has that the spec has not: single fields of maps, lists as a whole."""
    added: dict[str, Any] = {}
    for name, value in effective.items():
        own = spec.get(name)
        if name not in spec or not isinstance(value, Mapping) or not isinstance(own, Mapping):
            if name not in spec or value != own:
                added[name] = value
        elif inner := additions(own, value):
            added[name] = inner
    return added


def with_additions(spec: Json, added: Json) -> dict[str, Any]:
    """The effective spec again, from the spec and its additions."""
    return {
        **spec,
        **{
            name: with_additions(spec[name], value)
            if isinstance(value, Mapping) and isinstance(spec.get(name), Mapping)
            else value
            for name, value in added.items()
        },
    }


def _as_build(defaults: Json) -> Json:
    """Defaults in the shape of an ImageBuild's spec."""
    shaped = {name: defaults[name] for name in SHARED if name in defaults}
    if output := {name: defaults[name] for name in OF_OUTPUT if name in defaults}:
        shaped["output"] = output
    most = (defaults.get("limits") or {}).get("maxTimeoutSeconds")
    if most is not None:
        shaped["timeoutSeconds"] = min(most, shaped.get("timeoutSeconds", DEFAULT_TIMEOUT))
    return shaped


def _by_field(**rules: Rule) -> Rule:
    """Field by field: the build's own goes first, unless a rule says how the two become one."""

    def merge(own: Json, default: Json) -> Json:
        return {
            **default,
            **own,
            **{name: rule(own[name], default[name]) for name, rule in rules.items() if name in own and name in default},
        }

    return merge


def _added(own: list[Any], default: list[Any]) -> list[Any]:
    """The build's own, then the others."""
    return [*own, *(item for item in default if item not in own)]


def _added_by(key: str) -> Rule:
    """The build's own, then those whose key it does not have."""

    def merge(own: list[Json], default: list[Json]) -> list[Json]:
        named = {item[key] for item in own}
        return [*own, *(item for item in default if item[key] not in named)]

    return merge


def _registries(own: list[Json], default: list[Json]) -> list[Json]:
    return list(merge_registries(own, default, parse_registry))


_SPEC: Final = _by_field(
    registries=_registries,
    cache=_by_field(),
    pullSecretRefs=_added_by("name"),
    retry=_by_field(),
    output=_by_field(attestations=_by_field()),
    podTemplate=_by_field(
        env=_added_by("name"),
        metadata=_by_field(labels=_by_field(), annotations=_by_field()),
        spec=_by_field(
            resources=merge_resources,
            nodeSelector=_by_field(),
            affinity=_by_field(),
            tolerations=_added,
            imagePullSecrets=_added_by("name"),
            hostAliases=_added_by("ip"),
        ),
    ),
)
