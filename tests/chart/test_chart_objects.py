"""The objects that the chart renders."""

from dataclasses import replace
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from chart.render import KUBERNETES, Chart, one, operator_container, settings
from imagebuild_operator.settings_file import parse_settings

EVERYTHING: dict[str, Any] = {
    "image": {"repository": "registry.example.com:5000/operator", "digest": "sha256:" + "a" * 64},
    "imagePullSecrets": [{"name": "pull"}],
    "replicas": 3,
    "leaderElection": {"leaseSeconds": 15},
    "serviceAccount": {"annotations": {"example.com/role": "x"}},
    "builder": {
        "image": {"repository": "registry.example.com/builder", "tag": "2"},
        "pullPolicy": "Always",
        "imagePullSecrets": [{"name": "builder-pull"}],
        "resources": {"requests": {"cpu": 2}, "limits": {"memory": "4Gi"}},
        "nodeSelector": {"builds": "yes"},
        "tolerations": [{"key": "builds", "operator": "Exists"}],
        "checkPush": False,
        "allowPrivilegeEscalation": True,
        "proxy": {"httpProxy": "http://proxy:3128", "noProxy": ".svc,10.0.0.0/8"},
        "registries": [
            {"host": "docker.io", "mirrors": ["m:5000/hub"]},
            {"host": "m:5000", "insecure": True},
            {"host": "p", "caBundle": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}},
        ],
    },
    "admission": {"maxRunning": 10, "maxRunningPerNamespace": 2, "namespaces": {"team-a": 5}},
    "history": {"succeeded": 0, "failed": 20},
    "log": {"format": "plain", "level": "debug"},
    "metrics": {
        "port": 9000,
        "namespaceLabels": True,
        "service": {"annotations": {"prometheus.io/scrape": "true"}},
        "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "serviceMonitor": {"enabled": True, "interval": "1m"},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
        "dashboard": {"enabled": True},
    },
    "tracing": {"endpoint": "http://collector.monitoring:4318"},
    "podAnnotations": {"example.com/a": "b"},
    "podLabels": {"team": "platform"},
    "priorityClassName": "system-cluster-critical",
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "arch", "operator": "In", "values": ["amd64"]}]}]
            }
        }
    },
}
#: Kinds that no published JSON schema describes.
NOT_PUBLISHED = {"CustomResourceDefinition", "PodMonitor", "ServiceMonitor", "PrometheusRule"}
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
    kinds = {item["kind"] for item in chart.render({"crds": {"install": False}})}
    roles = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    assert kinds == {"ServiceAccount", "ConfigMap", "Deployment", "Service", *roles}


def test_the_operators_pod_is_restricted(chart: Chart) -> None:
    """Every point of the restricted Pod Security Standard, and a read-only root."""
    objects = chart.render()
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert operator_container(objects)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {kind for volume in pod["volumes"] for kind in volume if kind != "name"} == {"configMap", "emptyDir"}
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod)


def test_a_new_operator_stands_ready_before_the_old_one_goes(chart: Chart) -> None:
    objects = chart.render()
    spec = one(objects, "Deployment")["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()
    assert "affinity" not in spec["template"]["spec"]
    assert not [item for item in objects if item["kind"] == "PodDisruptionBudget"]


def test_several_operators_are_kept_apart(chart: Chart) -> None:
    objects = chart.render({"replicas": 2})
    spec = one(objects, "Deployment")["spec"]
    assert spec["replicas"] == 2
    [preferred] = spec["template"]["spec"]["affinity"]["podAntiAffinity"][
        "preferredDuringSchedulingIgnoredDuringExecution"
    ]
    assert preferred["podAffinityTerm"]["labelSelector"] == spec["selector"]
    budget = one(objects, "PodDisruptionBudget")["spec"]
    assert budget == {"maxUnavailable": 1, "selector": spec["selector"]}


def test_probes(chart: Chart) -> None:
    container = operator_container(chart.render())
    assert {"name": "health", "containerPort": 8080} in container["ports"]
    for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        assert container[probe]["httpGet"] == {"path": path, "port": "health"}


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
    assert made["builder"] == {**values["builder"], "image": "ghcr.io/imagebuild-dev/imagebuild-builder:0.1.0"}
    assert made["metrics"] == {"enabled": True, "port": 8081, "namespaceLabels": False}
    assert made["leaderElection"] == {
        "leaseName": "ib-imagebuild-operator",
        "leaseNamespace": "imagebuild-system",
        "leaseSeconds": 10,
    }


def test_the_values_have_the_operators_own_defaults(chart: Chart) -> None:
    made = parse_settings(settings(chart.render()))
    bare = parse_settings({"builder": {"image": "b:1"}, "log": {"format": "json"}})
    # The chart's own: the image, the resources of a build and the Lease.
    defaults = replace(bare.defaults, builder_image=made.defaults.builder_image, resources=made.defaults.resources)
    assert made == replace(bare, defaults=defaults, lease=made.lease)


def test_values_reach_the_operator(chart: Chart) -> None:
    objects = chart.render(EVERYTHING)
    container = operator_container(objects)
    assert container["image"] == "registry.example.com:5000/operator@sha256:" + "a" * 64
    builder = {**EVERYTHING["builder"], "image": "registry.example.com/builder:2", "keepPods": "failed"}
    builder["resources"] = {
        "requests": {"cpu": 2, "memory": "512Mi", "ephemeral-storage": "1Gi"},
        "limits": {"memory": "4Gi", "ephemeral-storage": "20Gi"},
    }
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
    for key in ("nodeSelector", "tolerations", "affinity"):
        assert pod["spec"][key] == EVERYTHING[key]


def test_a_change_of_the_settings_restarts_the_operator(chart: Chart) -> None:
    def checksum(values: dict[str, Any]) -> str:
        template = one(chart.render(values), "Deployment")["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/settings"])

    assert checksum({}) == checksum({"crds": {"keep": False}})
    assert checksum({}) != checksum({"log": {"level": "debug"}})
    assert checksum({}) != checksum({"builder": {"nodeSelector": {"builds": "yes"}}})


def test_names_fit_two_releases_and_long_ones(chart: Chart) -> None:
    assert one(chart.render(name="imagebuild-operator"), "Deployment")["metadata"]["name"] == "imagebuild-operator"
    assert one(chart.render(name="ib"), "Deployment")["metadata"]["name"] == "ib-imagebuild-operator"
    for item in chart.render(name="a" * 53):
        if item["kind"] != "CustomResourceDefinition":
            assert len(item["metadata"]["name"]) <= (253 if item["kind"].startswith("ClusterRole") else 63)


def test_every_object_says_where_it_comes_from(chart: Chart) -> None:
    for item in chart.render():
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "ib"
        assert labels["app.kubernetes.io/version"] == "0.1.0"
        assert labels["helm.sh/chart"] == "imagebuild-operator-0.1.0"
