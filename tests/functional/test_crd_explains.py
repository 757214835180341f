"""`kubectl explain`, and the pod's fields compared with those of the API server itself."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from functional.kube import Kubectl

POD_FIELDS = ["affinity", "tolerations", "topologySpreadConstraints", "dnsConfig", "hostAliases", "resources"]
LEFT_OUT = {"resources.claims"}  # would need resourceClaims in the pod
#: Values that API servers refuse unless an alpha feature gate is on (TaintTolerationComparisonOperators).
ALPHA = {"tolerations[].operator": {"Gt", "Lt"}}
QUANTITIES = {"resources.requests{}", "resources.limits{}"}


def fields(schema: dict[str, Any], path: str) -> dict[str, dict[str, Any]]:
    """Give every field of a schema by its path."""
    found = {path: schema}
    for name, child in schema.get("properties", {}).items():
        found |= fields(child, f"{path}.{name}")
    for shape, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(shape), dict):
            found |= fields(schema[shape], path + mark)
    return found


def spec_and_status(crd: Path) -> dict[str, Any]:
    [version] = yaml.safe_load(crd.read_text())["spec"]["versions"]
    properties: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]
    return properties


def test_every_field_has_a_description(crd: Path) -> None:
    for part in ("spec", "status"):
        for path, schema in fields(spec_and_status(crd)[part], part).items():
            if not path.endswith(("[]", "{}")):
                assert schema.get("description"), path


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "one build of one container image"),
        (".spec", "-required-"),
        (".spec.source", "configMap\t<Object>"),
        (".spec.source.url", "recognised by content"),
        (".spec.buildArgs.valueFrom.secretKeyRef", "Key of a Secret"),
        (".spec.podTemplate.spec.hostUsers", "root in the build is nobody on the node"),
        (".status.phase", "Later versions may add phases that are not final. Pending (there is no pod)"),
    ],
)
def test_explain(kubectl: Kubectl, crd: Path, path: str, words: str) -> None:
    assert crd.exists()
    shown = kubectl("explain", f"imagebuild{path}")
    assert " ".join(words.split()) in " ".join(shown.split())


def test_pod_fields_are_those_of_a_pod(kubectl: Kubectl, crd: Path) -> None:
    schemas = json.loads(kubectl("get", "--raw", "/openapi/v3/api/v1"))["components"]["schemas"]
    core = "io.k8s.api.core.v1."
    pod = schemas[core + "PodSpec"]["properties"] | {"resources": schemas[core + "ResourceRequirements"]}
    spec = spec_and_status(crd)["spec"]["properties"]
    template = spec["podTemplate"]["properties"]["spec"]["properties"] | {"resources": spec["resources"]}
    for name in POD_FIELDS:
        ours, theirs = fields(template[name], name), fields(resolve(pod[name], schemas), name)
        assert set(ours) <= set(theirs)
        assert ours.keys() | LEFT_OUT >= {path for path in theirs if not path.startswith("resources.claims")}
        for path, schema in ours.items():
            if path in QUANTITIES:
                assert schema["x-kubernetes-int-or-string"]
                continue
            assert schema["type"] == theirs[path]["type"], path
            assert set(schema.get("required", [])) >= set(theirs[path].get("required", [])), path
            if "enum" in theirs[path]:
                assert set(schema["enum"]) == set(theirs[path]["enum"]) - ALPHA.get(path, set()), path


def resolve(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Replace the references of an OpenAPI schema by what they refer to."""
    for part in (schema, *schema.get("allOf", [])):
        if "$ref" in part:
            return resolve(schemas[part["$ref"].rpartition("/")[2]], schemas)
    whole = dict(schema)
    for shape in ("items", "additionalProperties"):
        if shape in whole:
            whole[shape] = resolve(whole[shape], schemas)
    if "properties" in whole:
        whole["properties"] = {name: resolve(child, schemas) for name, child in whole["properties"].items()}
    return whole
