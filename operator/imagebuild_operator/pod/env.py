"""Entries of a container's `env`, as Kubernetes spells them."""

from typing import Any

from imagebuild_operator.api.sources import KeyRef

Variable = dict[str, Any]


def plain(name: str, value: str | None) -> list[Variable]:
    """A variable that has exactly this value; none without a value, which means the same to the builder image.

    The kubelet replaces `$(NAME)` by the value of another variable, and `$$` by `$`.
    """
    return [{"name": name, "value": value.replace("$", "$$")}] if value else []


def from_key(name: str, ref: KeyRef) -> Variable:
    """A variable whose value the kubelet reads from a Secret or ConfigMap of the pod's namespace."""
    key: Variable = {"name": ref.name, "key": ref.key}
    if ref.optional:
        key["optional"] = True
    return {"name": name, "valueFrom": {ref.field: key}}
