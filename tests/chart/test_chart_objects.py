"""The objects that the chart renders."""

from dataclasses import replace
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from chart.everything import EVERYTHING
from chart.render import KUBERNETES, NOT_PUBLISHED, Chart, one, operator_container, settings
from imagebuild_operator.settings_file import parse_settings

LINUX = {"kubernetes.io/os": "linux"}
VALUES = [{}, EVERYTHING, {"watchNamespaces": ["team-a", "team-b"]}, {"fullnameOverride": "x", "crds": {"keep": False}}]


def test_lint(chart: Chart) -> None:
    done = chart.run("lint", "--strict", "--kube-version", KUBERNETES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("values", VALUES, ids=["default", "everything", "namespaces", "names"])
def test_objects_are_valid_kubernetes(chart: Chart, values: dict[str, Any]) -> None:
    for item in chart.render(values):
        if item["kind"] not in NOT_PUBLISHED:
            kubernetes_validate.validate(item, KUBERNETES, strict=True)


@pytest.mark.parametrize("name", ["imagebuild", "imagebuilddefaults", "clusterimagebuilddefaults"])
def test_the_crds_are_the_projects_own_and_kept(chart: Chart, name: str) -> None:
    text = (chart.folder.parents[1] / "crds" / f"{name}.yaml").read_text()
    assert (chart.folder / "files" / f"{name}.yaml").read_text() == text, "run make docs"
    source = yaml.safe_load(text)
    [rendered] = [item for item in chart.render() if item["metadata"]["name"] == source["metadata"]["name"]]
    assert rendered["spec"] == source["spec"]
    assert rendered["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    objects = chart.render({"crds": {"keep": False}})
    [removed] = [item for item in objects if item["metadata"]["name"] == source["metadata"]["name"]]
    assert "annotations" not in removed["metadata"]


def test_an_older_cluster_gets_a_crd_that_it_knows(chart: Chart) -> None:
    done = chart.run("template", "--kube-version", "1.30.0", "--show-only", "templates/crd.yaml")
    assert done.returncode == 0, done.stderr
    crds = [document for document in yaml.safe_load_all(done.stdout) if document]
    assert all("selectableFields" not in crd["spec"]["versions"][0] for crd in crds)
    assert (
        "selectableFields"
        in one(chart.render(), "CustomResourceDefinition", "imagebuilds.imagebuild.dev")["spec"]["versions"][0]
    )


def test_the_crds_can_be_left_out(chart: Chart) -> None:
    kinds = {item["kind"] for item in chart.render({"crds": {"enabled": False}})}
    roles = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    policies = {"NetworkPolicy", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
    assert kinds == {"ServiceAccount", "ConfigMap", "Deployment", "Service", *roles, *policies}


def test_numbers_reach_the_operator_as_whole_numbers(chart: Chart) -> None:
    values = {"admission": {"namespaces": {"team-a": 5, "1": 0}}, "history": {"succeeded": 0, "failed": 2_000_000}}
    made = settings(chart.render(values))
    assert made["admission"]["namespaces"] == {"team-a": 5, "1": 0}
    assert made["history"] == {"succeeded": 0, "failed": 2_000_000}


def test_the_settings_file_holds_the_values(chart: Chart) -> None:
    objects = chart.render()
    container = operator_container(objects)
    assert container["env"] == [{"name": "IMAGEBUILD_SETTINGS_FILE", "value": "/etc/imagebuild/settings.yaml"}]
    assert {"name": "settings", "mountPath": "/etc/imagebuild", "readOnly": True} in container["volumeMounts"]
    volumes = one(objects, "Deployment")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "settings", "configMap": {"name": "ib-imagebuild-operator"}} in volumes
    values = yaml.safe_load((chart.folder / "values.yaml").read_text())
    made = settings(objects)
    for section, holds in made.items():
        if section not in {"builder", "metrics", "leaderElection"}:
            assert holds == values[section]
    image = f"ghcr.io/imagebuild-dev/imagebuild-builder:{chart.version}"
    of_chart = {"enabled", "nodeProfile"}
    buildkit = {name: value for name, value in values["builder"]["buildkit"].items() if name not in of_chart}
    buildkit |= {"image": f"{image.partition(':')[0]}-buildkit:{chart.version}"}
    pulled = {"image": image, "pullPolicy": "IfNotPresent", "buildkit": buildkit}
    assert made["builder"] == {**values["builder"], **pulled}
    assert made["metrics"] == {"enabled": True, "port": 8081, "namespaceLabels": False}
    assert made["leaderElection"] == {
        "leaseName": "ib-imagebuild-operator",
        "leaseNamespace": "imagebuild-system",
        "leaseSeconds": 10,
    }


def test_without_buildkit_the_operator_knows_no_image_of_it(chart: Chart) -> None:
    made = settings(chart.render({"builder": {"buildkit": {"enabled": False}}}))
    assert made["builder"]["buildkit"]["image"] == ""
    assert parse_settings(made).defaults.buildkit.image == ""


def test_the_values_have_the_operators_own_defaults(chart: Chart) -> None:
    made = parse_settings(settings(chart.render()))
    bare = parse_settings({"builder": {"image": "b:1"}, "log": {"format": "json"}})
    # The chart's own: the image, the resources and nodes of a build, and the Lease.
    own = {name: getattr(made.defaults, name) for name in ("builder_image", "resources", "node_selector")}
    buildkit = replace(bare.defaults.buildkit, image=made.defaults.buildkit.image)
    defaults = replace(bare.defaults, **own, buildkit=buildkit)
    assert made == replace(bare, defaults=defaults, lease=made.lease)


def test_values_reach_the_operator(chart: Chart) -> None:
    objects = chart.render(EVERYTHING)
    container = operator_container(objects)
    assert container["image"] == "registry.example.com:5000/operator@sha256:" + "a" * 64
    builder = {
        **EVERYTHING["builder"],
        "image": "registry.example.com/builder:2",
        "pullPolicy": "Always",
        "keepPods": "failed",
        "buildkit": {
            **EVERYTHING["builder"]["buildkit"],
            "image": "registry.example.com/buildkit@sha256:" + "b" * 64,
            "userNamespaces": True,
        },
    }
    del builder["buildkit"]["nodeProfile"]
    builder["resources"] = {
        "requests": {"cpu": 2, "memory": "512Mi", "ephemeral-storage": "1Gi"},
        "limits": {"memory": "4Gi", "ephemeral-storage": "20Gi"},
    }
    builder["nodeSelector"] = {"builds": "yes", **LINUX}
    made = settings(objects)
    assert made["builder"] == builder
    for section in ("admission", "history", "log", "tracing"):
        assert made[section].items() >= EVERYTHING[section].items()
    assert made["leaderElection"]["leaseSeconds"] == 15
    assert made["metrics"] == {"enabled": True, "port": 9000, "namespaceLabels": True}
    pod = one(objects, "Deployment")["spec"]["template"]
    assert pod["metadata"]["labels"]["team"] == "platform"
    assert pod["metadata"]["annotations"]["example.com/a"] == "b"
    assert pod["spec"]["imagePullSecrets"] == [{"name": "pull"}]
    assert pod["spec"]["priorityClassName"] == "system-cluster-critical"
    for key in ("tolerations", "affinity"):
        assert pod["spec"][key] == EVERYTHING[key]
    assert pod["spec"]["nodeSelector"] == {"disk": "ssd", **LINUX}


def test_names_fit_two_releases_and_long_ones(chart: Chart) -> None:
    assert one(chart.render(name="imagebuild-operator"), "Deployment")["metadata"]["name"] == "imagebuild-operator"
    assert one(chart.render(name="ib"), "Deployment")["metadata"]["name"] == "ib-imagebuild-operator"
    for item in chart.render(name="a" * 53):
        if item["kind"] != "CustomResourceDefinition":
            assert len(item["metadata"]["name"]) <= (
                253 if item["kind"].startswith(("ClusterRole", "ValidatingAdmission")) else 63
            )


def test_every_object_says_where_it_comes_from(chart: Chart) -> None:
    for item in chart.render():
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "ib"
        assert labels["app.kubernetes.io/version"] == chart.version
        assert labels["helm.sh/chart"] == f"imagebuild-operator-{chart.version}"


def test_labels_and_annotations_reach_every_object(chart: Chart) -> None:
    """The chart's own labels win, by which objects find each other; then those of one object, then the common ones."""
    objects = chart.render(EVERYTHING, more=())
    extra = {"ib-one", "two"}
    for item in objects:
        if item["metadata"]["name"] in extra:
            continue
        labels, annotations = item["metadata"]["labels"], item["metadata"]["annotations"]
        assert labels["cost-center"] == "1", item["kind"]
        assert labels["app.kubernetes.io/name"] == "imagebuild-operator"
        assert annotations["example.com/owner"] == "platform"
    pod = one(objects, "Deployment")["spec"]["template"]["metadata"]
    assert {"cost-center": "1", "team": "platform", "app.kubernetes.io/instance": "ib"}.items() <= pod["labels"].items()
    assert "example.com/owner" not in pod["annotations"]
    assert one(objects, "Deployment")["metadata"]["annotations"]["example.com/a"] == "b"
    account = one(objects, "ServiceAccount", "operator")["metadata"]
    assert account["annotations"]["example.com/role"] == "x"
    assert account["labels"]["pool"] == "a"
    assert one(objects, "PodMonitor")["metadata"]["labels"]["release"] == "prometheus"
    assert one(objects, "Service")["metadata"]["labels"]["scraped"] == "yes"
    assert one(objects, "CustomResourceDefinition", "imagebuilds.imagebuild.dev")["metadata"]["annotations"] == {
        "example.com/owner": "platform",
        "example.com/role": "less",
        "helm.sh/resource-policy": "keep",
    }


def test_the_dashboard_may_have_a_namespace_and_a_folder(chart: Chart) -> None:
    metadata = one(chart.render(EVERYTHING), "ConfigMap", "-dashboard")["metadata"]
    assert metadata["namespace"] == "grafana"
    assert metadata["annotations"]["grafana_folder"] == "Builds"


def test_the_test_build_runs_where_builds_are(chart: Chart) -> None:
    """`helm test` creates a pod in the release's namespace, and a Role where its ImageBuild is."""
    values = {"watchNamespaces": ["team-a", "team-b"], "helmTest": {"labels": {"team": "a"}}}
    hooks = [
        item for item in chart.render(values, more=()) if "helm.sh/hook" in (item["metadata"].get("annotations") or {})
    ]
    assert {(item["kind"], item["metadata"]["namespace"]) for item in hooks} == {
        ("ServiceAccount", "imagebuild-system"),
        ("ConfigMap", "imagebuild-system"),
        ("Role", "team-a"),
        ("RoleBinding", "team-a"),
        ("Pod", "imagebuild-system"),
    }
    [container] = one(hooks, "Pod")["spec"]["containers"]
    assert container["args"] == ["team=a"]
    assert {"name": "NAMESPACE", "value": "team-a"} in container["env"]
    for item in hooks:
        kubernetes_validate.validate(item, KUBERNETES, strict=True)
    assert chart.render({"helmTest": {"enabled": False}}, more=()) == chart.render()
