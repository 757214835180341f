"""What doctor says of nodes."""

from dataclasses import replace
from typing import Any

import pytest
from imagebuild_operator.api.build import Engine
from kubectl_imagebuild.checks.finding import Finding, Level
from kubectl_imagebuild.checks.nodes import check_nodes
from kubectl_imagebuild.cluster.reader import Hidden
from support.builds import SETTINGS, WITH_BUILDKIT

DEFAULTS = replace(WITH_BUILDKIT.defaults, node_selector={"kubernetes.io/os": "linux"})
LINUX = {"kubernetes.io/os": "linux"}


def node(
    name: str = "a",
    system: str = "Debian GNU/Linux 12 (bookworm)",
    version: str = "v1.36.4",
    features: dict[str, bool] | None = None,
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    known = {"userNamespaces": True} if features is None else features
    status = {
        "nodeInfo": {"kubeletVersion": version, "osImage": system, "containerRuntimeVersion": "containerd://1.7.27"},
        "runtimeHandlers": [{"name": "other", "features": {}}, {"name": "", "features": known}],
    }
    return {"metadata": {"name": name, "labels": LINUX if labels is None else labels}, "status": status}


def found(*nodes: dict[str, Any], **changes: Any) -> list[Finding]:  # noqa: ANN401 - of BuildDefaults
    return list(check_nodes(nodes, replace(DEFAULTS, **changes)))


def test_a_node_with_all_of_it():
    [one] = found(node())
    assert (one.level, one.message) == (Level.OK, "1 of 1 nodes (a): nothing in their status speaks against it.")


@pytest.mark.parametrize(
    ("lacking", "problem", "remedy"),
    [
        (node(version="v1.32.9-gke.100"), "kubelet v1.32.9-gke.100 has no user namespaces", "Upgrade to Kubernetes"),
        (node(features={}), "containerd://1.7.27 has no user namespaces", "Use containerd 2"),
        (
            {"metadata": {"name": "a", "labels": LINUX}},
            "the container runtime has no user namespaces",
            "Use containerd 2",
        ),
        (node("a", "Bottlerocket OS 1.2"), "Bottlerocket OS 1.2 allows no", "Set user.max_user_namespaces"),
        (node("a", "Ubuntu 24.04.1 LTS"), "AppArmor of Ubuntu 24.04.1 LTS denies", "Name a profile"),
        (node("a", "Container-Optimized OS from Google"), "AppArmor of Container-Optimized OS", "Name a profile"),
    ],
)
def test_what_a_node_lacks_is_said_with_the_remedy(lacking: dict[str, Any], problem: str, remedy: str):
    [one] = found(lacking)
    assert one.level is Level.WARNING
    assert one.message.startswith(f"1 of 1 nodes (a): {problem}")
    assert one.message.endswith("Builds there go on with Kaniko.")
    assert one.hint.startswith(remedy)
    [forced] = found(lacking, engine=Engine.BUILDKIT)
    assert forced.message.endswith("Builds there fail.")


def test_nodes_with_the_same_problem_are_one_finding_and_those_of_no_build_are_none():
    old = [node(f"old-{number}", features={}) for number in range(5)]
    said = found(*old, node("new"), node("windows", features={}, labels={"kubernetes.io/os": "windows"}))
    assert [each.message.partition(":")[0] for each in said] == [
        "5 of 6 nodes (old-0, old-1, old-2 and 2 more)",
        "1 of 6 nodes (new)",
    ]


def test_what_the_chart_says_counts():
    lesser = replace(DEFAULTS.buildkit, user_namespaces=False)
    profile = replace(DEFAULTS.buildkit, app_armor_profile={"type": "Localhost", "localhostProfile": "buildkit"})
    assert [each.level for each in found(node(features={}), buildkit=lesser)] == [Level.OK]
    assert [each.level for each in found(node("a", "Ubuntu 24.04"), buildkit=profile)] == [Level.OK]


def test_nothing_is_said_where_no_build_would_try_it_and_little_where_nodes_are_hidden():
    assert found(node(features={}), engine=Engine.KANIKO) == []
    assert list(check_nodes((node(features={}),), SETTINGS.defaults)) == []
    assert found() == []
    [one] = check_nodes(Hidden("no"), DEFAULTS)
    assert one.level is Level.HIDDEN
