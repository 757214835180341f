"""The defaults that are in force in a namespace: those of the namespace, and below them those of the cluster."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from imagebuild_operator.api.build import Bounds
from imagebuild_operator.defaults.objects import DefaultsObject
from imagebuild_operator.defaults.rules import merge_defaults, values_for_builds
from imagebuild_operator.settings import History

#: The ServiceAccount of a pod that names none. Naming it is always allowed.
DEFAULT_ACCOUNT: Final = "default"


@dataclass(frozen=True, slots=True)
class NamespaceDefaults:
    """What builds of a namespace get if their own spec does not set it, and their limits.

    Attributes:
        values: Values for builds, in the shape of an ImageBuild's spec.
        sources: The objects that they come from: kind and generation of each.
        ttl: Seconds after which a finished build is deleted.
        history: How many finished builds are kept; None where the operator's own settings count.
        max_running: How many builds may run at once, 0 for any number; None where the operator's settings count.
        bounds: What a build may ask for.
        problem: Why no build of the namespace may start; empty if they may.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)
    ttl: int | None = None
    history: History = field(default_factory=History)
    max_running: int | None = None
    bounds: Bounds = field(default_factory=Bounds)
    problem: str = ""

    @property
    def applied(self) -> Mapping[str, Any]:
        """What `status.appliedDefaults` records with the first pod; empty if builds get nothing from them."""
        return {"sources": list(self.sources), "spec": self.values} if self.values else {}


NO_DEFAULTS: Final = NamespaceDefaults()


def namespace_defaults(namespace: DefaultsObject | None, cluster: DefaultsObject | None) -> NamespaceDefaults:
    """Combine the ImageBuildDefaults of a namespace with the ClusterImageBuildDefaults.

    Limits are in them too. So builds do not start while one of them is invalid: ignoring it would lift its limits.
    """
    found = [defaults for defaults in (namespace, cluster) if defaults is not None]
    if not found:
        return NO_DEFAULTS
    invalid = next((defaults for defaults in found if defaults.problem), None)
    if invalid is not None:
        return NamespaceDefaults(problem=f"{invalid.kind} {invalid.name} is invalid: {invalid.problem}")
    spec = merge_defaults(namespace.spec if namespace else {}, cluster.spec if cluster else {})
    history, limits = spec.get("history") or {}, spec.get("limits") or {}
    return NamespaceDefaults(
        values=values_for_builds(spec),
        sources=tuple({"kind": defaults.kind, "generation": defaults.generation} for defaults in found),
        ttl=spec.get("ttlSecondsAfterFinished"),
        history=History(history.get("succeeded"), history.get("failed")),
        max_running=limits.get("maxRunning"),
        bounds=Bounds(
            limits.get("maxTimeoutSeconds"),
            _accounts(spec),
            limits.get("maxPriority"),
            _names(limits.get("podFields")),
            _names(limits.get("podMetadata")),
            _push_secrets(spec),
            tuple(limits["images"]) if "images" in limits else None,
            _names(limits.get("engines")),
            _names(limits.get("signing")),
        ),
    )


def _names(listed: Iterable[str] | None) -> frozenset[str] | None:
    return None if listed is None else frozenset(listed)


def _push_secrets(spec: Mapping[str, Any]) -> frozenset[str] | None:
    """The Secrets that a build may push with: those listed, and the one that builds get by default."""
    listed = (spec.get("limits") or {}).get("pushSecrets")
    if listed is None:
        return None
    given = spec.get("pushSecretRef")
    return frozenset({*listed, *([given["name"]] if given else [])})


def _accounts(spec: Mapping[str, Any]) -> frozenset[str] | None:
    """The ServiceAccounts that a build may name: those listed, the one that builds get by default, and `default`."""
    listed = spec.get("allowedServiceAccounts")
    if listed is None:
        return None
    given = ((spec.get("podTemplate") or {}).get("spec") or {}).get("serviceAccountName", DEFAULT_ACCOUNT)
    return frozenset({*listed, given, DEFAULT_ACCOUNT})
