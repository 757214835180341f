"""The ImageBuildDefaults of a namespace as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from imagebuild_operator.api.build import Bounds, BuildSpec
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.settings import History

#: The account of a pod that names none; to name it is to say nothing.
DEFAULT_ACCOUNT: Final = "default"


@dataclass(frozen=True, slots=True)
class NamespaceDefaults:
    """What builds of a namespace get where they do not say it themselves, and their limits.

    Attributes:
        namespace: The namespace.
        uid: Of the object; empty where there is none.
        version: Of the object; the higher, the newer.
        spec: As the API server holds it.
        ttl: Seconds after which a finished build goes.
        history: How many finished builds stay; None for what the operator's own settings say.
        max_running: How many builds may run at once, 0 for any number; None for what the operator's settings say.
        bounds: What a build may ask for.
    """

    namespace: str = field(default="", compare=False)
    uid: str = field(default="", compare=False)
    version: int = field(default=0, compare=False)
    spec: Mapping[str, Any] = field(default_factory=dict)
    ttl: int | None = None
    history: History = field(default_factory=History)
    max_running: int | None = None
    bounds: Bounds = field(default_factory=Bounds)


NO_DEFAULTS: Final = NamespaceDefaults()


def parse_defaults(body: Mapping[str, Any]) -> NamespaceDefaults:
    """Read an ImageBuildDefaults as the API server holds it."""
    metadata, spec = body["metadata"], body.get("spec") or {}
    history, limits = spec.get("history") or {}, spec.get("limits") or {}
    return NamespaceDefaults(
        namespace=metadata["namespace"],
        uid=metadata["uid"],
        version=int(metadata["resourceVersion"]),
        spec=spec,
        ttl=spec.get("ttlSecondsAfterFinished"),
        history=History(history.get("succeeded"), history.get("failed")),
        max_running=limits.get("maxRunning"),
        bounds=Bounds(limits.get("maxTimeoutSeconds"), _accounts(spec)),
    )


def _accounts(spec: Mapping[str, Any]) -> frozenset[str] | None:
    """The ServiceAccounts that a build may name: with those listed, the one that builds get by default."""
    listed = spec.get("allowedServiceAccounts")
    if listed is None:
        return None
    given = ((spec.get("podTemplate") or {}).get("spec") or {}).get("serviceAccountName", DEFAULT_ACCOUNT)
    return frozenset({*listed, given, DEFAULT_ACCOUNT})


def check_bounds(spec: BuildSpec, bounds: Bounds) -> None:
    """Refuse a build that asks for more than its namespace allows.

    Raises:
        InvalidSpecError: it does.
    """
    account = spec.pod_template.spec.get("serviceAccountName")
    if bounds.service_accounts is not None and account is not None and account not in bounds.service_accounts:
        raise InvalidSpecError(
            "spec.podTemplate.spec.serviceAccountName",
            f"{account} is not among the ServiceAccounts that the namespace's ImageBuildDefaults allow: write one of "
            f"{', '.join(sorted(bounds.service_accounts))}, or leave it out",
        )
    if bounds.timeout_seconds is not None and spec.timeout_seconds > bounds.timeout_seconds:
        raise InvalidSpecError(
            "spec.timeoutSeconds",
            f"{spec.timeout_seconds} is more than the namespace's ImageBuildDefaults allow: write "
            f"{bounds.timeout_seconds} at most",
        )
