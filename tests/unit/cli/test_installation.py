"""Operators and their settings, as their Deployments and ConfigMaps show them."""

from pathlib import Path
from typing import Any

import yaml
from imagebuild_operator.settings import Limits
from imagebuild_operator.settings_file import parse_settings
from kubectl_imagebuild import __version__
from kubectl_imagebuild.cluster.installation import (
    CHART_SETTINGS,
    Installation,
    assumed,
    installation,
    responsible,
    settings_map,
)

VALUES = Path(__file__).parents[3] / "charts" / "imagebuild-operator" / "values.yaml"
MAP: dict[str, Any] = {
    "metadata": {"namespace": "system", "name": "op"},
    "data": {"settings.yaml": "builder: {image: example.com/builder:1}\nadmission: {maxRunning: 3}\n"},
}


def deployment(**labels: str) -> dict[str, Any]:
    container = {
        "name": "operator",
        "env": [{"name": "A", "value": "1"}, {"name": "IMAGEBUILD_SETTINGS_FILE", "value": "/etc/ib/settings.yaml"}],
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "settings", "mountPath": "/etc/ib"}],
    }
    volumes = [{"name": "tmp", "emptyDir": {}}, {"name": "settings", "configMap": {"name": "op"}}]
    pod = {"containers": [{"name": "proxy"}, container], "volumes": volumes}
    metadata = {"namespace": "system", "name": "op", "labels": labels}
    return {"metadata": metadata, "spec": {"template": {"spec": pod}}, "status": {"availableReplicas": 2}}


def test_the_assumed_settings_are_those_of_the_chart():
    values = yaml.safe_load(VALUES.read_text(encoding="utf-8"))
    builder = values["builder"]
    image = builder.pop("image")
    builder |= {"image": f"{image['registry']}/{image['repository']}:{__version__}", "pullPolicy": image["pullPolicy"]}
    image = builder["buildkit"]["image"]
    assert builder["buildkit"].pop("enabled")
    assert not builder["buildkit"].pop("nodeProfile")["enabled"]
    builder["buildkit"] |= {"image": f"{image['registry']}/{image['repository']}:{__version__}"}
    names = ("watchNamespaces", "buildSelector", "admission", "retry", "progress", "credentials", "builder", "history")
    whole = parse_settings({name: values[name] for name in names})
    assert parse_settings(CHART_SETTINGS) == whole


def test_the_settings_of_a_deployment():
    body = deployment(**{"app.kubernetes.io/version": "0.0.9"})
    assert settings_map(body) == ("op", "settings.yaml")
    found = installation(body, MAP, "settings.yaml")
    assert (found.namespace, found.name, found.version, found.available) == ("system", "op", "0.0.9", 2)
    assert found.settings.limits == Limits(cluster=3)
    assert found.origin == "ConfigMap system/op"
    assert found.version_difference.startswith(f"The operator has version 0.0.9 and this program {__version__}")


def test_settings_that_cannot_be_read_are_those_of_the_chart():
    body = deployment()
    broken = {**MAP, "data": {"settings.yaml": "unknown: 1\n"}}
    for settings, why in (
        (None, "the chart's defaults, because it is hidden"),
        ({**MAP, "data": {}}, "the chart's defaults, because ConfigMap system/op has no key settings.yaml"),
    ):
        assert installation(body, settings, "settings.yaml", "it is hidden").origin == why
    found = installation(body, broken, "settings.yaml")
    assert found.origin.startswith("the chart's defaults, because this program does not understand ConfigMap system/op")
    assert found.settings == assumed("").settings


def test_the_operator_that_builds_a_namespace():
    def with_settings(text: str) -> Installation:
        builder = "builder: {image: example.com/builder:1}\n"
        return installation(deployment(), {**MAP, "data": {"settings.yaml": builder + text}}, "settings.yaml")

    everywhere, here = with_settings(""), with_settings("watchNamespaces: [team-a]")
    labelled = with_settings("buildSelector: team=a")
    assert responsible([everywhere, here], "team-a", {}) is here
    assert responsible([here], "team-b", {}) is None
    assert responsible([here, labelled], "team-b", {"team": "a"}) is labelled
