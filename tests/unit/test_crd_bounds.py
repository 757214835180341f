"""What holds for every field of the spec, and would be forgotten for a new one."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from support.specs import CRD, spec_schema

#: Names of objects: none has a slash, so none is in another namespace.
DNS_NAME = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
MOST_BYTES = 131_000
#: Fields of pods that would let a build out of its container, or choose what runs in it.
FORBIDDEN = {
    "hostPath", "hostNetwork", "hostPID", "hostIPC", "hostPort", "shareProcessNamespace", "securityContext", "volumes",
    "volumeMounts", "volumeDevices", "containers", "initContainers", "command", "lifecycle",
    "automountServiceAccountToken", "nodeName",
}  # fmt: skip


def walk(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    for shape in ("items", "additionalProperties"):
        if isinstance(schema.get(shape), dict):
            yield from walk(schema[shape], f"{path}[]")


FIELDS = dict(walk(spec_schema(), "spec"))
NAMES = [
    path for path in FIELDS if path.endswith(("Ref.name", "Refs[].name", "configMap.name", "claimName", "ClassName"))
]


@pytest.mark.shows("A18")
@pytest.mark.parametrize("path", FIELDS)
def test_every_string_list_and_map_is_bounded(path: str):
    field = FIELDS[path]
    match field.get("type"):
        case "string":
            assert "enum" in field or field["maxLength"] <= MOST_BYTES
        case "array":
            assert field["maxItems"] <= 100
        case "object" if "additionalProperties" in field:
            assert field["maxProperties"] <= 64
        case "object":
            assert "properties" in field
        case "integer" | "number" | "boolean" | None:
            assert field.get("x-kubernetes-preserve-unknown-fields") is None
        case other:
            raise AssertionError(other)


@pytest.mark.shows("A12")
def test_no_refusal_of_a_rule_repeats_the_value():
    """API servers from 1.36 on repeat a refused string, unless the rule's reason is FieldValueForbidden."""
    for path, field in FIELDS.items():
        for rule in field.get("x-kubernetes-validations", ()):
            assert field["type"] in ("object", "array") or rule["reason"] == "FieldValueForbidden", path


@pytest.mark.shows("A21")
def test_references_name_objects_of_their_own_namespace():
    assert len(NAMES) > 12
    for path in NAMES:
        assert (FIELDS[path]["pattern"], FIELDS[path]["maxLength"]) == (DNS_NAME, 253), path
    for path in NAMES:
        around = FIELDS[path.rpartition(".")[0]]["properties"]
        assert "namespace" not in around, path


@pytest.mark.shows("A21")
@pytest.mark.parametrize("name", ["imagebuild", "imagebuilddefaults", "clusterimagebuilddefaults"])
def test_no_reference_leaves_its_namespace(name: str):
    text = (CRD.parent / f"{name}.yaml").read_text()
    [version] = yaml.safe_load(text)["spec"]["versions"]
    fields = dict(walk(version["schema"]["openAPIV3Schema"], ""))
    # Those of affinity select pods to be near to or far from; nothing of them is read.
    namespaces = [
        path for path in fields if path.rpartition(".")[2].lower().startswith("namespace") and ".affinity." not in path
    ]
    assert namespaces == []
    paths = [path for path in fields if path.rpartition(".")[2] in FORBIDDEN]
    assert paths == []
