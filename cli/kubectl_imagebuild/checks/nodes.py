"""On which nodes BuildKit can build, as far as their status tells: docs/how-to/engines.md. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from imagebuild_operator.api.build import Engine
from imagebuild_operator.settings import BuildDefaults

from kubectl_imagebuild.checks.finding import Finding, hidden, ok, warning
from kubectl_imagebuild.cluster.reader import Document, Hidden, Several

CHECK: Final = "BuildKit"
#: The first version of Kubernetes whose kubelets have user namespaces without a feature gate.
SINCE: Final = (1, 33)
#: Names that are shown of nodes with one problem.
SHOWN: Final = 3
#: Operating systems, by the beginning of their names, whose containers AppArmor confines.
_APPARMOR: Final = ("Ubuntu", "Container-Optimized OS")


def check_nodes(nodes: Several, defaults: BuildDefaults) -> Iterator[Finding]:
    """Whether BuildKit can run on the nodes; nothing where no build would try it, or where there are none.

    Args:
        nodes: All nodes of the cluster.
        defaults: The settings of the operator for builds.
    """
    if defaults.engine is Engine.KANIKO or not defaults.buildkit.image:
        return
    if isinstance(nodes, Hidden):
        yield hidden(CHECK, "You may not list nodes. A build that can't use BuildKit says why in its status.")
        return
    found: dict[tuple[str, str], list[str]] = {}
    for node in nodes:
        if _is_meant(node, defaults.node_selector):
            found.setdefault(obstacle(node, defaults), []).append(node["metadata"]["name"])
    count = sum(map(len, found.values()))
    for (problem, remedy), names in found.items():
        where = f"{len(names)} of {count} nodes ({_few(names)})"
        if problem:
            instead = "fail" if defaults.engine is Engine.BUILDKIT else "go on with Kaniko"
            yield warning(CHECK, f"{where}: {problem}. Builds there {instead}.", remedy)
        else:
            yield ok(CHECK, f"{where}: nothing in their status speaks against it.")


def obstacle(node: Document, defaults: BuildDefaults) -> tuple[str, str]:
    """Why BuildKit can't run on a node, and what to do; both empty if nothing is known to be in its way."""
    status: Mapping[str, Any] = node.get("status") or {}
    about: Mapping[str, str] = status.get("nodeInfo") or {}
    settings = defaults.buildkit
    less = "or set builder.buildkit.userNamespaces of the chart to false, for less isolation"
    if settings.user_namespaces:
        version = about.get("kubeletVersion", "")
        if (parts := re.match(r"v(\d+)\.(\d+)", version)) and (int(parts[1]), int(parts[2])) < SINCE:
            return f"kubelet {version} has no user namespaces", f"Upgrade to Kubernetes 1.33 or newer, {less}."
        handlers = status.get("runtimeHandlers") or ()
        features = next((each.get("features") or {} for each in handlers if not each.get("name")), {})
        if not features.get("userNamespaces"):
            runtime = about.get("containerRuntimeVersion", "the container runtime")
            return f"{runtime} has no user namespaces", f"Use containerd 2 or CRI-O 1.31 or newer, {less}."
    system = about.get("osImage", "")
    if system.startswith("Bottlerocket"):
        return f"{system} allows no user namespaces by default", "Set user.max_user_namespaces above 0 on them."
    if system.startswith(_APPARMOR) and not settings.app_armor_profile:
        return (
            f"AppArmor of {system} denies what BuildKit needs, unless it is off",
            "Name a profile in builder.buildkit.appArmorProfile of the chart, or set builder.engine to Kaniko.",
        )
    return "", ""


def _is_meant(node: Document, selector: Mapping[str, str]) -> bool:
    labels = node["metadata"].get("labels") or {}
    return all(labels.get(name) == value for name, value in selector.items())


def _few(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
