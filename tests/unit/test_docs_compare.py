"""The pages of docs/compare name fields that exist, where they say how to move."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs/compare").glob("*.md"))
PATH = re.compile(r"[a-z][A-Za-z]*(?:\[\d?\])?(?:\.[a-z][A-Za-z]*(?:\[\d?\])?)*")
#: The heads of the columns whose fields are ours.
OURS = frozenset({"ImageBuild", "TrackedImage, ImageBuild"})


def schema(name: str) -> dict[str, Any]:
    [version] = yaml.safe_load((ROOT / f"crds/{name}.yaml").read_text())["spec"]["versions"]
    properties: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]
    return properties


SPEC, STATUS = (schema("imagebuild")[part] for part in ("spec", "status"))
TRACKED_SPEC, TRACKED_STATUS = (schema("trackedimage")[part] for part in ("spec", "status"))
DEFAULTS = schema("imagebuilddefaults")["spec"]
VALUES = yaml.safe_load((ROOT / "charts/imagebuild-operator/values.yaml").read_text())


def fields(page: Path) -> Iterator[str]:
    """What a page's tables name in the column of ImageBuild, without values."""
    ours = False
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            ours = False
        elif cells[-1] in OURS:
            ours = True
        elif ours:
            last = ""
            for code in re.findall(r"`([^`]+)`", cells[-1]):
                name = code.partition(":")[0]
                if PATH.fullmatch(name):
                    # A name behind a path may be short for a field of the same object, or of the path's.
                    near = (name, f"{last.rpartition('.')[0]}.{name}", f"{last}.{name}")
                    last = next((path for path in near if exists(path)), name)
                    yield last


def exists(path: str) -> bool:
    names = re.sub(r"\[\d?\]", "", path).split(".")
    if names[0] == "status":
        return _in_schema(STATUS, names[1:]) or _in_schema(TRACKED_STATUS, names[1:])
    return (
        _in_schema(SPEC, names) or _in_schema(TRACKED_SPEC, names) or _in_schema(DEFAULTS, names) or _in_values(names)
    )


def _in_schema(schema: dict[str, Any], names: list[str]) -> bool:
    for name in names:
        properties = schema.get("items", schema).get("properties", {})
        if name not in properties:
            return False
        schema = properties[name]
    return True


def _in_values(names: list[str]) -> bool:
    value: Any = VALUES
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_fields_exist(page: Path):
    assert [path for path in fields(page) if not exists(path)] == []


def test_the_pages_name_fields():
    assert {"source.git.url", "status.digest", "buildSecrets"} <= {path for page in PAGES for path in fields(page)}
    assert not exists("source.git.branch")
