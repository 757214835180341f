"""The container that scans an image before it is pushed."""

from typing import Any

import pytest
from imagebuild_operator.api.parse import parse_spec
from imagebuild_operator.pod.manifest import Manifest, build_pod
from support.builds import SETTINGS, WITH_BUILDKIT, a_build

Json = dict[str, Any]
GATE: Json = {
    "scanner": "r.example/trivy:1",
    "database": "r.example/db:1",
    "severity": "Critical",
    "onlyFixed": True,
    "ignore": ["CVE-1", "CVE-2"],
    "openVEX": '{"a": "$(B)"}',
}
OUTPUT: Json = {"images": ["registry.example/team/app:1"], "pushSecretRef": {"name": "push"}}


def pod(engine: str = "Kaniko", **spec: object) -> Manifest:
    build = a_build({"output": OUTPUT, "engine": engine, "limits": {"vulnerabilities": GATE}, **spec})
    return build_pod(build, parse_spec(build.spec), WITH_BUILDKIT.defaults)


def container(manifest: Manifest, name: str) -> Json:
    every = (*manifest["spec"].get("initContainers", ()), *manifest["spec"]["containers"])
    return next(each for each in every if each["name"] == name)


def variables(manifest: Manifest, name: str) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in container(manifest, name)["env"]}


def test_the_container():
    manifest = pod(output={**OUTPUT, "attestations": {"sbom": "CycloneDX"}})
    assert [each["name"] for each in manifest["spec"]["initContainers"]] == ["check", "build", "scan"]
    assert container(manifest, "scan") == {
        "name": "scan",
        "image": "registry.example/builder:1",
        "imagePullPolicy": "IfNotPresent",
        "args": ["scan"],
        "env": [
            {"name": "SCAN_SEVERITY", "value": "Critical"},
            {"name": "SCAN_ONLY_FIXED", "value": "true"},
            {"name": "SCAN_IGNORE", "value": "CVE-1,CVE-2"},
            # The kubelet makes $(B) of it, and replaces nothing.
            {"name": "SCAN_OPENVEX", "value": '{"a": "$$(B)"}'},
            {"name": "SBOM", "value": "CycloneDX"},
        ],
        "resources": container(manifest, "build")["resources"],
        "securityContext": container(manifest, "push")["securityContext"],
        "volumeMounts": [
            {"name": "layout", "mountPath": "/kaniko/layout", "readOnly": True},
            {"name": "scanner", "mountPath": "/kaniko/.scanner", "readOnly": True},
            {"name": "database", "mountPath": "/kaniko/.vulnerabilities", "readOnly": True},
            {"name": "scan", "mountPath": "/kaniko/.run", "subPath": "own"},
            {"name": "scan", "mountPath": "/kaniko/.scanned", "subPath": "passed"},
        ],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "terminationMessagePath": "/dev/termination-log",
    }
    volumes = {each["name"]: each for each in manifest["spec"]["volumes"]}
    assert volumes["scan"] == {"name": "scan", "emptyDir": {}}
    assert volumes["scanner"] == {"name": "scanner", "image": {"reference": "r.example/trivy:1"}}
    assert volumes["database"] == {"name": "database", "image": {"reference": "r.example/db:1"}}


@pytest.mark.shows("A67")
@pytest.mark.parametrize("engine", ["Kaniko", "BuildKit"])
def test_push_asks_for_it_and_build_can_reach_nothing_of_it(engine: str):
    manifest = pod(engine)
    assert variables(manifest, "push")["REQUIRE_SCAN"] == "true"
    passed = {"name": "scan", "mountPath": "/kaniko/.scanned", "subPath": "passed", "readOnly": True}
    assert passed in container(manifest, "push")["volumeMounts"]
    mounted = {each["name"] for each in container(manifest, "build")["volumeMounts"]}
    assert not mounted & {"scan", "scanner", "database"}
    # It reads every layer.
    assert "ONLY_NEW_LAYERS" not in variables(manifest, "build")


@pytest.mark.parametrize(
    "spec", [{"limits": {}}, {"output": {**OUTPUT, "push": False}}], ids=["no limit", "nothing pushed"]
)
def test_there_is_none_where_nothing_asks_for_it_or_nothing_is_pushed(spec: Json):
    build = a_build({"output": OUTPUT, "limits": {"vulnerabilities": GATE}, **spec})
    manifest = build_pod(build, parse_spec(build.spec), SETTINGS.defaults)
    assert "scan" not in [each["name"] for each in manifest["spec"].get("initContainers", ())]
    assert not {each["name"] for each in manifest["spec"]["volumes"]} & {"scan", "scanner", "database"}
    assert "REQUIRE_SCAN" not in str(manifest)
