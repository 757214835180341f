"""Whether a pod is what the operator would have created.

A pod's name follows from the uid of its build, so whoever may create pods can take it first, and name the build as the
owner. What such a pod reports would become the status. So a pod that this operator has neither created nor recorded is
compared with the manifest before anything of it is believed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from imagebuild_operator.pod.manifest import Manifest

#: Mounts of tokens and certificates that admission adds to any container.
ADDED_MOUNTS: Final = "/var/run/secrets/"
HOST: Final = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")


def difference(pod: Mapping[str, Any], manifest: Manifest) -> str:
    """In what a pod differs from a manifest so that its reports can't be trusted; empty if in nothing.

    Admission may have added labels, defaults, variables of other names, and containers of other names.

    Args:
        pod: The pod as the API server has it.
        manifest: What the operator would create, with every container that the build may have.
    """
    spec, own = pod.get("spec") or {}, manifest["spec"]
    if shared := [name for name in HOST if spec.get(name)]:
        return f"it has {shared[0]}"
    live = {container["name"]: (kind, container) for kind in _KINDS for container in spec.get(kind) or ()}
    for kind in _KINDS:
        for container in own.get(kind, ()):
            if container["name"] not in live:
                # `check` is left out where a push is known to work.
                if container["name"] in OPTIONAL:
                    continue
                return f"it has no container {container['name']}"
            where, found = live[container["name"]]
            if where != kind or (problem := _container_difference(found, container)):
                return f"its container {container['name']} has other {'kind' if where != kind else problem}"
    volumes = {volume["name"]: volume for volume in spec.get("volumes") or ()}
    for volume in own.get("volumes", ()):
        if not _covers(volume, volumes.get(volume["name"])):
            return f"its volume {volume['name']} is another"
    return ""


_KINDS: Final = ("initContainers", "containers")
OPTIONAL: Final = frozenset({"check"})


def _container_difference(found: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    names = {variable["name"] for variable in own["env"]}
    env = [variable for variable in found.get("env") or () if variable["name"] in names]
    places = {mount["mountPath"] for mount in own["volumeMounts"]}
    mounts = [mount["mountPath"] for mount in found.get("volumeMounts") or ()]
    same = {
        "image": found.get("image") == own["image"],
        "command": not found.get("command"),
        "args": found.get("args") == own["args"],
        "env": _covers(list(map(_without_empty, own["env"])), list(map(_without_empty, env))),
        "envFrom": not found.get("envFrom"),
        "securityContext": _covers(own["securityContext"], found.get("securityContext")),
        "lifecycle": not found.get("lifecycle"),
        "volumeMounts": all(place in places or place.startswith(ADDED_MOUNTS) for place in mounts),
    }
    return next((name for name, is_same in same.items() if not is_same), "")


def _without_empty(variable: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in variable.items() if value != ""}


def _covers(own: object, found: object) -> bool:
    """Whether everything in a value is in another one, too."""
    if isinstance(own, Mapping):
        return isinstance(found, Mapping) and all(_covers(value, found.get(name)) for name, value in own.items())
    if isinstance(own, Sequence) and not isinstance(own, str):
        return isinstance(found, Sequence) and len(found) == len(own) and all(map(_covers, own, found))
    return own == found
