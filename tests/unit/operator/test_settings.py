from pathlib import Path

import pytest
from imagebuild_operator.api.build import Registry
from imagebuild_operator.api.errors import SettingsError
from imagebuild_operator.settings import (
    BuildDefaults,
    History,
    KeepPods,
    LeaseSettings,
    Limits,
    OperatorSettings,
    load_settings,
)

DEFAULTS = """
resources: {requests: {cpu: 100m}}
nodeSelector: {pool: builds}
tolerations: [{key: builds, operator: Exists}]
imagePullSecrets: [{name: regcred}]
registries: [{host: docker.io, mirrors: [mirror.example]}, {host: plain.example, insecure: true}]
allowPrivilegeEscalation: true
capabilities: [CHOWN]
"""


def test_the_least_that_is_needed():
    assert load_settings({"IMAGEBUILD_BUILDER_IMAGE": "b:1", "PATH": "/bin"}) == OperatorSettings(BuildDefaults("b:1"))


def test_everything(tmp_path: Path):
    file = tmp_path / "defaults.yaml"
    file.write_text(DEFAULTS)
    environment = {
        "IMAGEBUILD_BUILDER_IMAGE": "b:1",
        "IMAGEBUILD_BUILDER_PULL_POLICY": "Always",
        "IMAGEBUILD_NAMESPACES": "one, two",
        "IMAGEBUILD_SELECTOR": "team in (a, b),!legacy",
        "IMAGEBUILD_LOG_FORMAT": "json",
        "IMAGEBUILD_LOG_LEVEL": "debug",
        "IMAGEBUILD_HEALTH_PORT": "9000",
        "IMAGEBUILD_RETRY_DELAY": "2.5",
        "IMAGEBUILD_KEEP_PODS": "none",
        "IMAGEBUILD_PROGRESS": "false",
        "IMAGEBUILD_MAX_RUNNING": "50",
        "IMAGEBUILD_MAX_RUNNING_PER_NAMESPACE": "0",
        "IMAGEBUILD_MAX_RUNNING_NAMESPACES": "team-a=5, team-b=0",
        "IMAGEBUILD_HISTORY_SUCCEEDED": "5",
        "IMAGEBUILD_HISTORY_FAILED": "",
        "IMAGEBUILD_DEFAULTS_FILE": str(file),
    }
    assert load_settings(environment) == OperatorSettings(
        defaults=BuildDefaults(
            builder_image="b:1",
            builder_pull_policy="Always",
            image_pull_secrets=("regcred",),
            resources={"requests": {"cpu": "100m"}},
            node_selector={"pool": "builds"},
            tolerations=({"key": "builds", "operator": "Exists"},),
            registries=(Registry("docker.io", mirrors=("mirror.example",)), Registry("plain.example", insecure=True)),
            allow_privilege_escalation=True,
            capabilities=("CHOWN",),
        ),
        namespaces=("one", "two"),
        selector="team in (a, b),!legacy",
        log_format="json",
        log_level="DEBUG",
        health_port=9000,
        retry_delay=2.5,
        keep_pods=KeepPods.NONE,
        progress=False,
        history=History(succeeded=5),
        limits=Limits(cluster=50, namespaces={"team-a": 5, "team-b": 0}),
    )


def test_all_problems_are_named_at_once(tmp_path: Path):
    file = tmp_path / "defaults.yaml"
    file.write_text("resourcs: {}\n")
    environment = {
        "IMAGEBUILD_SELECTOR": "team: a",
        "IMAGEBUILD_LOG_FORMAT": "xml",
        "IMAGEBUILD_LOG_LEVEL": "loud",
        "IMAGEBUILD_HEALTH_PORT": "http",
        "IMAGEBUILD_RETRY_DELAY": "soon",
        "IMAGEBUILD_KEEP_PODS": "some",
        "IMAGEBUILD_PROGRESS": "yes",
        "IMAGEBUILD_MAX_RUNNING_NAMESPACES": "team-a",
        "IMAGEBUILD_HISTORY_FAILED": "-1",
        "IMAGEBUILD_DEFAULTS_FILE": str(file),
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(environment)
    for word in (
        "BUILDER_IMAGE",
        "SELECTOR is 'team: a'",
        "LOG_FORMAT is 'xml'",
        "LOG_LEVEL is 'LOUD'",
        "HEALTH_PORT is 'http'",
        "RETRY_DELAY is 'soon'",
        "KEEP_PODS is 'some'",
        "PROGRESS is 'yes'",
        "MAX_RUNNING_NAMESPACES is 'team-a'",
        "HISTORY_FAILED is '-1'",
        "resourcs",
    ):
        assert word in str(caught.value)


def test_the_lease_that_operators_share():
    given = {"IMAGEBUILD_BUILDER_IMAGE": "b:1", "IMAGEBUILD_LEASE_NAME": "ib", "IMAGEBUILD_LEASE_NAMESPACE": "system"}
    assert load_settings(given).lease == LeaseSettings("system", "ib", 10)
    assert load_settings({**given, "IMAGEBUILD_LEASE_SECONDS": "30"}).lease == LeaseSettings("system", "ib", 30)
    for name, value in {"LEASE_NAMESPACE": "", "LEASE_SECONDS": "0"}.items():
        with pytest.raises(SettingsError, match=f"IMAGEBUILD_{name} is "):
            load_settings({**given, f"IMAGEBUILD_{name}": value})
