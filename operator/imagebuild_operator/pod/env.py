"""Entries of a container's `env`, as Kubernetes spells them."""

from collections.abc import Iterable
from typing import Any

from imagebuild_operator.api.build import EnvVar, Proxy
from imagebuild_operator.api.sources import KeyRef

Variable = dict[str, Any]


def plain(name: str, value: str | None) -> list[Variable]:
    """A variable that has exactly this value; none without a value, which means the same to the builder image."""
    return [{"name": name, "value": escaped(value)}] if value else []


def escaped(value: str) -> str:
    """A value that stays as it is when the kubelet replaces `$(NAME)` by another variable's value, and `$$` by `$`."""
    return value.replace("$", "$$")


def from_key(name: str, ref: KeyRef) -> Variable:
    """A variable whose value the kubelet reads from a Secret or ConfigMap of the pod's namespace."""
    key: Variable = {"name": ref.name, "key": ref.key}
    if ref.optional:
        key["optional"] = True
    return {"name": name, "valueFrom": {ref.field: key}}


def of_template(variables: Iterable[EnvVar]) -> list[Variable]:
    """The variables that the author of a build gives the build container."""
    return [
        from_key(variable.name, variable.value)
        if isinstance(variable.value, KeyRef)
        else {"name": variable.name, "value": escaped(variable.value)}
        for variable in variables
    ]


def of_proxy(proxy: Proxy) -> list[Variable]:
    """The variables that name proxies, in upper and lower case: some programs know only one of them."""
    values = {"HTTP_PROXY": proxy.http, "HTTPS_PROXY": proxy.https, "NO_PROXY": proxy.no}
    found: list[Variable] = []
    for name, value in values.items():
        for spelled in (name, name.lower()):
            if proxy.secret:
                found.append(from_key(spelled, KeyRef("secretKeyRef", proxy.secret, name)))
            else:
                found += plain(spelled, value)
    return found
