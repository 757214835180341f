"""crds/imagebuilddefaults.yaml: what it shares with an ImageBuild has the shape that crds/imagebuild.yaml gives it."""

from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

SOURCE = Path(__file__).with_name("imagebuilddefaults.yaml")
SAME = "$same"

HEAD = """\
# Generated from tools/docs/imagebuilddefaults.yaml and crds/imagebuild.yaml by `make docs`.
"""


def build(image_build: Schema) -> Schema:
    """Give the definition of ImageBuildDefaults; shapes it shares with that of ImageBuild are the same objects."""
    [version] = image_build["spec"]["versions"]
    root: Schema = version["schema"]["openAPIV3Schema"]
    definition: Schema = _filled(yaml.safe_load(SOURCE.read_text(encoding="utf-8")), root)
    return definition


def render(image_build: Schema) -> str:
    """Give the text of the file."""
    return HEAD + yaml.safe_dump(build(image_build), sort_keys=False, allow_unicode=True, width=120)


def _filled(node: Any, root: Schema) -> Any:  # noqa: ANN401 - any part of a YAML document
    """Replace each reference by the field it names, and what stands beside it."""
    if isinstance(node, list):
        return [_filled(item, root) for item in node]
    if not isinstance(node, dict):
        return node
    if SAME not in node:
        return {key: _filled(value, root) for key, value in node.items()}
    named = root
    for name in node[SAME].split("."):
        named = named["properties"][name]
    merged = {**named, **{key: value for key, value in node.items() if key != SAME}}
    return {key: value for key, value in merged.items() if value is not None}
