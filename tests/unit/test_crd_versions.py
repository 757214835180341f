"""What docs/reference/versions.md says of the API."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

CRDS = sorted((Path(__file__).parents[2] / "crds").glob("*.yaml"))
UNITS = ("Seconds", "Milliseconds", "Bytes", "Percent")


def schemas(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from schemas(field, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from schemas(schema[name], f"{path}[]")


def version_of(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    [version] = document["spec"]["versions"]
    assert document["spec"].get("conversion", {"strategy": "None"}) == {"strategy": "None"}
    return dict(version)


@pytest.mark.parametrize("path", CRDS, ids=lambda path: path.stem)
def test_there_is_one_version_and_no_webhook_converts_it(path: Path):
    version = version_of(path)
    assert (version["name"], version["served"], version["storage"]) == ("v1alpha1", True, True)


@pytest.mark.parametrize("path", CRDS, ids=lambda path: path.stem)
def test_nothing_in_the_status_is_a_closed_list(path: Path):
    status = version_of(path)["schema"]["openAPIV3Schema"]["properties"]["status"]
    # Those defaults are a spec.
    found = [place for place, schema in schemas(status, "status") if "enum" in schema]
    assert [place for place in found if not place.startswith("status.appliedDefaults")] == []


@pytest.mark.parametrize("path", CRDS, ids=lambda path: path.stem)
def test_numbers_are_integers_and_durations_have_their_unit_in_their_name(path: Path):
    whole = version_of(path)["schema"]["openAPIV3Schema"]
    for place, schema in schemas(whole, ""):
        assert schema.get("type") != "number", place
        assert not place.endswith("Ms"), place
        if "seconds" in schema.get("description", "").lower().split()[:3] and schema.get("type") == "integer":
            assert any(unit in place for unit in UNITS), place
