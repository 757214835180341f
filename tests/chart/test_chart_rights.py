"""What the chart lets whom do."""

from typing import Any

import pytest
from chart.render import Chart, one, settings

FLUX = ["buckets", "externalartifacts", "gitrepositories", "ocirepositories"]
RULES = [
    {"apiGroups": ["imagebuild.dev"], "resources": ["imagebuilds"], "verbs": ["get", "list", "watch", "delete"]},
    {"apiGroups": ["imagebuild.dev"], "resources": ["imagebuilds/status"], "verbs": ["patch"]},
    {"apiGroups": ["imagebuild.dev"], "resources": ["imagebuilds"], "verbs": ["create"]},
    {"apiGroups": ["imagebuild.dev"], "resources": ["trackedimages"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["imagebuild.dev"], "resources": ["trackedimages/status"], "verbs": ["patch"]},
    {"apiGroups": ["source.toolkit.fluxcd.io"], "resources": FLUX, "verbs": ["list"]},
    {"apiGroups": ["imagebuild.dev"], "resources": ["imagebuilddefaults"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["imagebuild.dev"], "resources": ["imagebuilddefaults/status"], "verbs": ["patch"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch", "create", "delete"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list", "create"]},
]
#: Those of RULES that it has only for TrackedImages.
TRACKED_RULES = RULES[2:6]
#: Only if the operator watches all namespaces.
CLUSTER_RULES = [
    {"apiGroups": ["imagebuild.dev"], "resources": ["clusterimagebuilddefaults"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["imagebuild.dev"], "resources": ["clusterimagebuilddefaults/status"], "verbs": ["patch"]},
]
#: In the release's namespace.
LEASE_RULES = [
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resourceNames": ["ib-imagebuild-operator"],
        "verbs": ["get", "patch"],
    },
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
]
FORBIDDEN_VERBS = {"*", "escalate", "bind", "impersonate"}


def roles(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in objects if item["kind"] in {"Role", "ClusterRole"} and not is_of_lease(item)]


def is_of_lease(item: dict[str, Any]) -> bool:
    return bool(item["metadata"]["name"].endswith("-lease"))


@pytest.mark.parametrize("namespaces", [[], ["team-a", "team-b"]])
def test_no_role_reaches_too_far(chart: Chart, namespaces: list[str]) -> None:
    objects = chart.render({"watchNamespaces": namespaces, "rbac": {"aggregate": False}})
    for role in roles(objects):
        for rule in role["rules"]:
            assert set(rule["resources"]) <= {
                "imagebuilds",
                "imagebuilds/status",
                "trackedimages",
                "trackedimages/status",
                *FLUX,
                "imagebuilddefaults",
                "imagebuilddefaults/status",
                *(() if namespaces else ("clusterimagebuilddefaults", "clusterimagebuilddefaults/status")),
                "pods",
                "pods/log",
                "events",
            }
            assert not set(rule["verbs"]) & FORBIDDEN_VERBS
            assert "*" not in rule["apiGroups"]


def test_the_whole_cluster(chart: Chart) -> None:
    objects = chart.render()
    assert one(objects, "ClusterRole", "-operator-imagebuild-system")["rules"] == [
        *RULES[:8],
        *CLUSTER_RULES,
        *RULES[8:],
    ]
    binding = one(objects, "ClusterRoleBinding", "-operator-imagebuild-system")
    assert binding["roleRef"]["name"] == "ib-imagebuild-operator-imagebuild-system"
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "ib-imagebuild-operator", "namespace": "imagebuild-system"}
    ]
    assert [item for item in objects if item["kind"] in {"Role", "RoleBinding"} and not is_of_lease(item)] == []


def test_without_progress_and_watchers_no_log_can_be_read(chart: Chart) -> None:
    objects = chart.render({"progress": {"enabled": False}, "trackedImages": {"enabled": False}})
    assert one(objects, "ClusterRole", "-operator-imagebuild-system")["rules"] == [
        rule
        for rule in [*RULES[:8], *CLUSTER_RULES, *RULES[8:]]
        if "pods/log" not in rule["resources"] and rule not in TRACKED_RULES
    ]
    assert settings(objects)["progress"] == settings(objects)["trackedImages"] == {"enabled": False}


def test_without_tracked_images_the_operator_can_create_no_build(chart: Chart) -> None:
    objects = chart.render({"trackedImages": {"enabled": False}})
    rules = one(objects, "ClusterRole", "-operator-imagebuild-system")["rules"]
    assert rules == [rule for rule in [*RULES[:8], *CLUSTER_RULES, *RULES[8:]] if rule not in TRACKED_RULES]


def test_some_namespaces(chart: Chart) -> None:
    objects = chart.render({"watchNamespaces": ["team-a", "team-b"]})
    users = [item for item in objects if item["kind"].startswith("ClusterRole")]
    assert [item["metadata"]["name"].rpartition("-")[2] for item in users] == ["edit", "view", "defaults", "defaults"]
    objects = [item for item in objects if item not in users]
    for kind in ("Role", "RoleBinding"):
        of_kind = [item for item in objects if item["kind"] == kind and not is_of_lease(item)]
        assert [item["metadata"]["namespace"] for item in of_kind] == ["team-a", "team-b"]
    assert all(role["rules"] == RULES for role in roles(objects))
    assert {item["subjects"][0]["namespace"] for item in objects if item["kind"] == "RoleBinding"} == {
        "imagebuild-system"
    }
    assert settings(objects)["watchNamespaces"] == ["team-a", "team-b"]


def test_releases_of_one_name_have_nothing_of_the_cluster_in_common(chart: Chart) -> None:
    def of_the_cluster(namespace: str) -> set[tuple[str, str]]:
        objects = chart.render({"crds": {"enabled": False}}, namespace=namespace)
        return {(item["kind"], item["metadata"]["name"]) for item in objects if "namespace" not in item["metadata"]}

    assert of_the_cluster("one")
    assert not of_the_cluster("one") & of_the_cluster("two")


@pytest.mark.parametrize("namespaces", [[], ["team-a"]])
def test_the_lease_is_in_the_releases_namespace(chart: Chart, namespaces: list[str]) -> None:
    objects = chart.render({"watchNamespaces": namespaces})
    role, binding = one(objects, "Role", "-lease"), one(objects, "RoleBinding", "-lease")
    assert role["rules"] == LEASE_RULES
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "imagebuild-system"
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"][0]["namespace"] == "imagebuild-system"


@pytest.mark.parametrize("namespaces", [[], ["team-a"]])
def test_users_of_a_namespace(chart: Chart, namespaces: list[str]) -> None:
    aggregate = "rbac.authorization.k8s.io/aggregate-to-"
    objects = chart.render({"watchNamespaces": namespaces})
    edit, view = one(objects, "ClusterRole", "-edit"), one(objects, "ClusterRole", "-view")
    assert edit["metadata"]["labels"][aggregate + "edit"] == "true"
    assert view["metadata"]["labels"][aggregate + "view"] == "true"
    assert aggregate + "view" not in edit["metadata"]["labels"]
    assert edit["rules"][0]["resources"] == ["imagebuilds", "trackedimages"]
    assert "imagebuilddefaults" in view["rules"][0]["resources"]
    assert set(view["rules"][0]["verbs"]) == {"get", "list", "watch"}


def test_without_rights_in_the_cluster_each_namespace_has_roles_to_bind(chart: Chart) -> None:
    values = {"watchNamespaces": ["team-a", "team-b"], "rbac": {"aggregate": False}, "crds": {"enabled": False}}
    values["podPolicy"] = {"enabled": False}
    objects = chart.render(values)
    assert all(item["metadata"].get("namespace") for item in objects)
    for namespace in values["watchNamespaces"]:
        of_namespace = [item for item in objects if item["metadata"]["namespace"] == namespace]
        edit, view = one(of_namespace, "Role", "-edit"), one(of_namespace, "Role", "-view")
        read = {
            "apiGroups": ["imagebuild.dev"],
            "resources": [
                *("imagebuilds", "imagebuilds/status", "imagebuilddefaults"),
                *("trackedimages", "trackedimages/status"),
            ],
            "verbs": ["get", "list", "watch"],
        }
        write = ["create", "update", "patch", "delete", "deletecollection"]
        assert view["rules"] == [read]
        kinds = ["imagebuilds", "trackedimages"]
        assert edit["rules"] == [{"apiGroups": ["imagebuild.dev"], "resources": kinds, "verbs": write}, read]


def test_everyone_may_read_the_defaults_of_the_cluster_and_nothing_else(chart: Chart) -> None:
    objects = chart.render()
    role, binding = one(objects, "ClusterRole", "-defaults"), one(objects, "ClusterRoleBinding", "-defaults")
    assert role["rules"] == [
        {
            "apiGroups": ["imagebuild.dev"],
            "resources": ["clusterimagebuilddefaults"],
            "resourceNames": ["default"],
            "verbs": ["get"],
        }
    ]
    group = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"}
    assert (binding["subjects"], binding["roleRef"]["name"]) == ([group], role["metadata"]["name"])
    without = [chart.render({"rbac": {"clusterDefaultsReaders": []}}), chart.render({"rbac": {"aggregate": False}})]
    assert all(item["metadata"]["name"] != role["metadata"]["name"] for found in without for item in found)


def test_releases_of_one_name_may_watch_the_same_namespace(chart: Chart) -> None:
    values = {"watchNamespaces": ["team-a"], "rbac": {"aggregate": False}, "crds": {"enabled": False}}

    def objects(namespace: str) -> set[tuple[str, str, str]]:
        found = chart.render(values, namespace=namespace)
        return {
            (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])
            for item in found
            if item["kind"] != "Namespace"
        }

    assert not objects("builds-a") & objects("builds-b")


def test_rights_can_be_left_to_others(chart: Chart) -> None:
    assert not roles(chart.render({"rbac": {"create": False, "aggregate": False}}))


def test_a_service_account_of_ones_own(chart: Chart) -> None:
    objects = chart.render({"serviceAccount": {"create": False, "name": "mine"}})
    assert not [item for item in objects if item["kind"] == "ServiceAccount"]
    assert one(objects, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "mine"
    assert one(objects, "ClusterRoleBinding", "-operator-imagebuild-system")["subjects"][0]["name"] == "mine"
    # Else every pod of the namespace that names no ServiceAccount would have the operator's permissions.
    assert "set serviceAccount.name" in chart.refusal({"serviceAccount": {"create": False}})
