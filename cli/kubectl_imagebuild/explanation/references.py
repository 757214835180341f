"""What pods refer to in their namespace: Secrets, ConfigMaps, PersistentVolumeClaims, a ServiceAccount. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Body = Mapping[str, Any]


class Kind(StrEnum):
    """Kind of an object."""

    SECRET = "Secret"  # noqa: S105 - a kind
    CONFIG_MAP = "ConfigMap"
    CLAIM = "PersistentVolumeClaim"
    ACCOUNT = "ServiceAccount"

    @property
    def plural(self) -> str:
        """Its resource."""
        return f"{self.lower()}s"


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A reference to an object, or to one of its keys.

    Attributes:
        kind: Kind of the object.
        name: Its name.
        key: The key that must be in it; empty for none.
    """

    kind: Kind
    name: str
    key: str = ""


def references(pods: Iterable[Body]) -> tuple[Reference, ...]:
    """What pods need of their namespace, sorted. What is optional is left out."""
    return tuple(sorted({each for pod in pods for each in _of_pod(pod["spec"])}))


def problem(reference: Reference, body: Body | None) -> str:
    """Why a pod cannot use what it refers to, as a sentence; empty if it can.

    Args:
        reference: The reference.
        body: The object; None if there is none.
    """
    if body is None:
        return f"{reference.kind} {reference.name} does not exist: create it, the build waits for it."
    keys = {**(body.get("data") or {}), **(body.get("binaryData") or {})}
    if reference.key and reference.key not in keys:
        return f"{reference.kind} {reference.name} has no key {reference.key}: add it, the build waits for it."
    return ""


def _of_pod(spec: Body) -> Iterator[Reference]:
    if account := spec.get("serviceAccountName"):
        yield Reference(Kind.ACCOUNT, account)
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        for variable in container.get("env") or ():
            yield from _of_variable(variable.get("valueFrom") or {})
    for volume in spec.get("volumes") or ():
        if "configMap" in volume:
            yield Reference(Kind.CONFIG_MAP, volume["configMap"]["name"])
        if "persistentVolumeClaim" in volume:
            yield Reference(Kind.CLAIM, volume["persistentVolumeClaim"]["claimName"])


def _of_variable(source: Body) -> Iterator[Reference]:
    for field, kind in (("secretKeyRef", Kind.SECRET), ("configMapKeyRef", Kind.CONFIG_MAP)):
        found = source.get(field)
        if found and not found.get("optional"):
            yield Reference(kind, found["name"], found["key"])
