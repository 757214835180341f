"""Which value counts: the build's own, that of its namespace, or that of the cluster.

Specs go in and out as the API server holds them; `docs/how-to/defaults.md` has the rules as a table.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from imagebuild_operator.api.body import Body
from imagebuild_operator.api.build import DEFAULT_TIMEOUT
from imagebuild_operator.api.parse import parse_registry
from imagebuild_operator.defaults.bounds import merge_limits
from imagebuild_operator.defaults.merge import merge_registries, merge_resources

#: Merges the more specific value with the more general one, where both exist.
Rule = Callable[[Any, Any], Any]

#: Fields that an ImageBuildDefaults spells and places as an ImageBuild does.
SHARED: Final = (
    *("source", "registries", "proxy", "cache", "pullSecretRefs", "env", "resources", "podTemplate"),
    *("engine", "retry", "timeoutSeconds"),
)

#: Kinds of sources that have a `caBundle`.
WITH_CA_BUNDLE: Final = frozenset({"http", "git", "s3", "oci"})

#: Fields of an ImageBuildDefaults that belong to `output` in an ImageBuild.
OF_OUTPUT: Final = ("pushSecretRef", "attestations", "signing")


def complete(spec: Body, values: Body) -> dict[str, Any]:
    """Complete the spec of an ImageBuild with values of the same shape; the spec's own always stay."""
    return dict(_BUILD(spec, values))


def merge_defaults(namespace: Body, cluster: Body) -> dict[str, Any]:
    """Merge the spec of an ImageBuildDefaults with that of the ClusterImageBuildDefaults below it."""
    return dict(_DEFAULTS(namespace, cluster))


def values_for_builds(defaults: Body) -> dict[str, Any]:
    """The values that the spec of an ImageBuildDefaults has for builds, in the shape of an ImageBuild's spec."""
    values = {name: defaults[name] for name in SHARED if name in defaults}
    if output := {name: defaults[name] for name in OF_OUTPUT if name in defaults}:
        values["output"] = output
    limits = defaults.get("limits") or {}
    if "level" in limits:
        # There is no other that a build could ask for.
        values["output"] = {**values.get("output", {}), "level": limits["level"]}
    if recorded := {name: limits[name] for name in ("baseImages", "engines", "vulnerabilities") if name in limits}:
        # With the others, so that every attempt has them.
        values["limits"] = recorded
    most = limits.get("maxTimeoutSeconds")
    if most is not None:
        values["timeoutSeconds"] = min(most, values.get("timeoutSeconds", DEFAULT_TIMEOUT))
    return values


def _by_field(**rules: Rule) -> Rule:
    """Merge maps field by field: the more specific value counts, unless the field has a rule."""

    def merge(own: Body, default: Body) -> Body:
        return {
            **default,
            **own,
            **{name: rule(own[name], default[name]) for name, rule in rules.items() if name in own and name in default},
        }

    return merge


def _added(own: list[Any], default: list[Any]) -> list[Any]:
    """The more specific items, then the others."""
    return [*own, *(item for item in default if item not in own)]


def _common(own: list[Any], default: list[Any]) -> list[Any]:
    """What both allow."""
    return [item for item in own if item in default]


def _added_by(key: str) -> Rule:
    """The more specific items, then those with other keys."""

    def merge(own: list[Body], default: list[Body]) -> list[Body]:
        named = {item[key] for item in own}
        return [*own, *(item for item in default if item[key] not in named)]

    return merge


def _source(own: Body, default: Body) -> Body:
    """The build's source, with the CA bundle of the defaults if its server may have a certificate and it names none."""
    return {kind: {**default, **fields} if kind in WITH_CA_BUNDLE else fields for kind, fields in own.items()}


def _registries(own: list[Body], default: list[Body]) -> list[Body]:
    return list(merge_registries(own, default, parse_registry))


_RULES: Final[Mapping[str, Rule]] = {
    "registries": _registries,
    "cache": _by_field(),
    "pullSecretRefs": _added_by("name"),
    "retry": _by_field(),
    "env": _added_by("name"),
    "resources": merge_resources,
    "podTemplate": _by_field(
        metadata=_by_field(labels=_by_field(), annotations=_by_field()),
        spec=_by_field(
            nodeSelector=_by_field(),
            affinity=_by_field(),
            tolerations=_added,
            imagePullSecrets=_added_by("name"),
            hostAliases=_added_by("ip"),
        ),
    ),
}
_BUILD: Final = _by_field(**_RULES, source=_source, output=_by_field(attestations=_by_field()))
_DEFAULTS: Final = _by_field(
    **_RULES, attestations=_by_field(), limits=merge_limits, allowedServiceAccounts=_common, history=_by_field()
)
