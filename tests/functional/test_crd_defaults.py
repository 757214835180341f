"""What the API server takes as ImageBuildDefaults, and what it refuses with which words."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from functional.kube import Defaults, Kubectl, message
from functional.test_crd_accepts import FULL as FULL_BUILD
from functional.test_crd_explains import fields
from kubernetes import client

EXAMPLES = Path(__file__).parents[2] / "examples"
SHARED = (
    *("pullSecretRefs", "cache", "registries", "proxy", "podTemplate"),
    *("timeoutSeconds", "retry", "ttlSecondsAfterFinished"),
)
FULL: dict[str, Any] = {
    **{name: FULL_BUILD[name] for name in SHARED},
    **{name: FULL_BUILD["output"][name] for name in ("pushSecretRef", "attestations", "signing")},
    "source": {"caBundle": {"configMapKeyRef": {"name": "company-ca", "key": "ca.crt"}}},
    "history": {"succeeded": 0, "failed": 10},
    "limits": {
        "maxRunning": 3,
        "maxTimeoutSeconds": 7200,
        "images": ["registry.example.com/team"],
        "baseImages": [
            "docker.io/library",
            "docker.io/library/python:3.11",
            "r.example.com:5000/a/b",
            "localhost:5000",
        ],
        "vulnerabilities": {
            "scanner": "ghcr.io/aquasecurity/trivy:0.74.0",
            "database": "registry.example.com/security/trivy-database:latest",
            "severity": "Critical",
            "onlyFixed": True,
            "ignore": ["CVE-2024-3094", "GHSA-xxxx-yyyy-zzzz"],
            "openVEX": "{}",
        },
    },
    "allowedServiceAccounts": ["builder", "signer"],
}
SCAN = {"scanner": "r.example.com/trivy:1", "database": "r.example.com/trivy-database"}
CASES: list[tuple[dict[str, Any], str]] = [
    ({"source": {"url": "https://a/b"}}, 'unknown field "spec.source.url"'),
    ({"source": {"caBundle": {}}}, "set configMapKeyRef or secretKeyRef"),
    ({"registries": [{"host": "https://docker.io"}]}, "write the registry without http:// or https://"),
    (
        {"registries": [{"host": "a.io", "mirrors": ["m.io"]}, {"host": "b.io", "mapTo": "m.io"}]},
        "mirrors and mapTo cannot be mixed",
    ),
    ({"cache": {"repo": "registry.example.com/Cache"}}, "write a repository in lower case"),
    ({"pullSecretRefs": [{"name": "a"}, {"name": "a"}]}, "each name of pullSecretRefs can be given once"),
    ({"pushSecretRef": {}}, "pushSecretRef.name: Required value"),
    ({"podTemplate": {"spec": {"hostNetwork": True}}}, 'unknown field "spec.podTemplate.spec.hostNetwork"'),
    ({"podTemplate": {"metadata": {"labels": {"imagebuild.dev/x": "y"}}}}, "are reserved for the operator"),
    ({"podTemplate": {"metadata": {"annotations": {"a": "x" * 10_000, "b": "x" * 10_000}}}}, "16384 bytes together"),
    ({"env": [{"name": "PATH", "value": "/x"}]}, "name PATH is reserved"),
    ({"proxy": {"httpProxy": "proxy:3128"}}, "like http://proxy.example.com:3128"),
    ({"timeoutSeconds": 0}, "should be greater than or equal to 1"),
    ({"timeoutSeconds": 2, "limits": {"maxTimeoutSeconds": 1}}, "must not be more than limits.maxTimeoutSeconds"),
    ({"limits": {"maxRunning": -1}}, "should be greater than or equal to 0"),
    *(
        ({"limits": {"baseImages": [each]}}, "write HOST[:PORT], HOST/PATH or HOST/PATH/IMAGE[:TAG], without *")
        for each in ("python", "library/python", "docker.io/", "docker.io/*", "https://docker.io", "docker.io/Library")
    ),
    ({"limits": {"baseImages": []}}, "at least 1"),
    ({"limits": {"vulnerabilities": {"scanner": "r.example.com/trivy"}}}, "database: Required value"),
    ({"limits": {"vulnerabilities": {**SCAN, "severity": "HIGH"}}}, 'supported values: "Low", "Medium", "High"'),
    ({"limits": {"vulnerabilities": {**SCAN, "ignore": ["CVE-1, CVE-2"]}}}, "should match"),
    ({"history": {"succeeded": "all"}}, "must be of type integer"),
    ({"allowedServiceAccounts": ["a", "a"]}, "Duplicate value"),
    ({"allowedServiceAccounts": ["team/a"]}, "should match"),
]


def test_every_field_at_once_comes_back_as_written(defaults: Defaults) -> None:
    assert defaults.create(FULL)["spec"] == FULL


def test_the_example(defaults: Defaults) -> None:
    assert defaults.create(yaml.safe_load((EXAMPLES / "defaults.yaml").read_text())["spec"])


def test_nothing_has_to_be_said_and_nothing_is_added(defaults: Defaults) -> None:
    assert defaults.create({})["spec"] == {}
    defaults.replace({"cache": {"repo": "registry.example.com/cache"}, "retry": {}, "limits": {}})


@pytest.mark.parametrize(("spec", "words"), CASES, ids=[f"{str(spec)[:60]}" for spec, _ in CASES])
def test_refused(defaults: Defaults, spec: dict[str, Any], words: str) -> None:
    assert words in defaults.refusal(spec)


def test_there_is_one_in_a_namespace(defaults: Defaults) -> None:
    assert "name it default" in defaults.refusal({}, name="other")
    defaults.create({})
    with pytest.raises(client.ApiException) as refused:
        defaults.create({})
    assert "already exists" in message(refused.value)


def test_its_columns_and_its_explanation(defaults: Defaults, kubectl: Kubectl) -> None:
    defaults.create(FULL)
    shown = kubectl("get", "ibd", "-n", defaults.namespace).split()
    assert shown[:8] == ["NAME", "READY", "MAX", "RUNNING", "TIMEOUT", "CACHE", "AGE", "default"]
    assert shown[8:11] == ["3", "1800", "registry.example.com/team/cache"]
    assert "the others wait" in " ".join(kubectl("explain", "ibd.spec.limits.maxRunning").split())


def test_every_field_has_a_description(crd: Path) -> None:
    definition = yaml.safe_load(crd.with_name("imagebuilddefaults.yaml").read_text())
    [version] = definition["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    missing = [path for path, schema in fields(spec, "spec").items() if not schema.get("description")]
    assert [path for path in missing if not path.endswith(("[]", "{}"))] == []
