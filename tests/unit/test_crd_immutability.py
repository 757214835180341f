"""The rule that fixes the spec names every field: a new one that it leaves out would be open to change."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CRD = Path(__file__).parents[2] / "crds" / "imagebuild.yaml"
MUTABLE = {"cancel", "suspend", "priority", "ttlSecondsAfterFinished"}


def test_every_field_of_the_spec_is_fixed_but_for_those_that_manage_the_build() -> None:
    [version] = yaml.safe_load(CRD.read_text())["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    rule = spec["x-kubernetes-validations"][0]["rule"]
    assert set(re.findall(r"self\.(\w+) == oldSelf\.\1", rule)) == set(spec["properties"]) - MUTABLE
    for name in set(spec["properties"]) - MUTABLE - set(spec["required"]):
        assert f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || self.{name} == " in rule


def test_lists_whose_order_counts_are_compared_in_order() -> None:
    # CEL compares lists of the types set and map without their order.
    [version] = yaml.safe_load(CRD.read_text())["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    unordered = {path for path, kind in _lists(spec, "") if kind != "atomic"}
    assert unordered == {
        f".podTemplate.spec.{name}" for name in ("topologySpreadConstraints", "imagePullSecrets", "hostAliases")
    }


def _lists(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if schema.get("type") == "array":
        yield path, schema.get("x-kubernetes-list-type", "atomic")
        yield from _lists(schema["items"], path)
    for name, field in schema.get("properties", {}).items():
        yield from _lists(field, f"{path}.{name}")
