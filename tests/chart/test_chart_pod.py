"""The operator's Deployment and its pod."""

from typing import Any

from chart.everything import EVERYTHING
from chart.render import Chart, one, operator_container, settings


def test_the_operators_pod_is_restricted(chart: Chart) -> None:
    """Every point of the restricted Pod Security Standard, and a read-only root."""
    objects = chart.render()
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    # Without a user, which the image names: OpenShift assigns another one.
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
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
    objects = chart.render({"replicaCount": 2})
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


def test_global_values_hold_for_both_images(chart: Chart) -> None:
    """As the charts of one umbrella chart share them; secrets are written in either of two usual forms."""
    shared = {"imageRegistry": "registry.example.com/mirror", "imagePullSecrets": ["all", {"name": "pull"}]}
    objects = chart.render({"global": shared, "imagePullSecrets": [{"name": "pull"}]})
    assert operator_container(objects)["image"].startswith("registry.example.com/mirror/imagebuild-dev/imagebuild-op")
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "pull"}, {"name": "all"}]
    builder = settings(objects)["builder"]
    assert builder["image"].startswith("registry.example.com/mirror/imagebuild-dev/imagebuild-builder:")
    assert builder["imagePullSecrets"] == [{"name": "all"}, {"name": "pull"}]


def test_an_image_may_have_no_registry(chart: Chart) -> None:
    """As one that was loaded onto the nodes has; the container runtime takes it as Docker Hub's."""
    values = {"image": {"registry": "", "repository": "imagebuild-operator", "tag": "dev"}}
    assert operator_container(chart.render(values))["image"] == "imagebuild-operator:dev"


def test_a_change_of_the_settings_restarts_the_operator(chart: Chart) -> None:
    def checksum(values: dict[str, Any]) -> str:
        template = one(chart.render(values), "Deployment")["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/settings"])

    assert checksum({}) == checksum({"crds": {"keep": False}})
    assert checksum({}) != checksum({"log": {"level": "debug"}})
    assert checksum({}) != checksum({"builder": {"nodeSelector": {"builds": "yes"}}})


def test_extra_parts_of_the_pod_and_other_objects(chart: Chart) -> None:
    objects = chart.render(EVERYTHING)
    container, pod = operator_container(objects), one(objects, "Deployment")["spec"]["template"]["spec"]
    settings_file = {"name": "IMAGEBUILD_SETTINGS_FILE", "value": "/etc/imagebuild/settings.yaml"}
    assert container["env"] == [*EVERYTHING["extraEnv"], settings_file]
    assert container["args"] == ["--one"]
    assert EVERYTHING["extraVolumes"][0] in pod["volumes"]
    assert EVERYTHING["extraVolumeMounts"][0] in container["volumeMounts"]
    assert one(objects, "ConfigMap", "ib-one")["data"] == {"a": "b"}
    assert one(objects, "ConfigMap", "two")["data"] == {"release": "ib"}


def test_every_choice_for_the_pod(chart: Chart) -> None:
    objects = chart.render(EVERYTHING)
    deployment = one(objects, "Deployment")["spec"]
    pod, container = deployment["template"]["spec"], operator_container(objects)
    # A strategy of another type has no rollingUpdate, which the API server would refuse.
    assert deployment["strategy"] == {"type": "Recreate"}
    assert deployment["revisionHistoryLimit"] == 2
    assert pod["terminationGracePeriodSeconds"] == 5
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "fsGroup": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["livenessProbe"]["failureThreshold"] == 3
    assert container["readinessProbe"]["initialDelaySeconds"] == 1
    first, second = pod["topologySpreadConstraints"]
    assert first["labelSelector"] == deployment["selector"]
    assert second["labelSelector"] == {}
    assert (pod["dnsPolicy"], pod["dnsConfig"]) == ("None", EVERYTHING["dnsConfig"])
    assert pod["hostAliases"] == EVERYTHING["hostAliases"]
    assert one(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] == "50%"


def test_the_budget_can_be_left_out(chart: Chart) -> None:
    objects = chart.render({"replicaCount": 2, "podDisruptionBudget": {"enabled": False}})
    assert not [item for item in objects if item["kind"] == "PodDisruptionBudget"]
