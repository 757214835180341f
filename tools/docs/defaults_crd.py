"""The definitions of ImageBuildDefaults and ClusterImageBuildDefaults.

Both have the same spec; fields that they share with an ImageBuild have the shape that crds/imagebuild.yaml gives them.
"""

from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

SOURCE = Path(__file__).with_name("imagebuilddefaults.yaml")
SAME = "$same"

HEAD = """\
# Generated from tools/docs/imagebuilddefaults.yaml and crds/imagebuild.yaml by `make docs`.
"""


NAMES = {
    "kind": "ClusterImageBuildDefaults",
    "listKind": "ClusterImageBuildDefaultsList",
    "plural": "clusterimagebuilddefaults",
    "singular": "clusterimagebuilddefaults",
    "shortNames": ["cibd"],
    "categories": ["builds"],
}
DESCRIPTION = (
    "ClusterImageBuildDefaults sets defaults and limits for the builds of all namespaces. A cluster has at most one, "
    "named default. The ImageBuildDefaults of a namespace replaces its fields for that namespace, limits included. "
    "Only an operator that watches all namespaces reads it. A change counts for builds that have not started. Do not "
    "write credentials here: the values are copied into the status of builds."
)


def build(image_build: Schema) -> Schema:
    """Make the definition of ImageBuildDefaults; shapes it shares with that of ImageBuild are the same objects."""
    [version] = image_build["spec"]["versions"]
    root: Schema = version["schema"]["openAPIV3Schema"]
    definition: Schema = _filled(yaml.safe_load(SOURCE.read_text(encoding="utf-8")), root)
    return definition


def build_for_cluster(image_build: Schema) -> Schema:
    """Make the definition of ClusterImageBuildDefaults, in the same way."""
    definition = build(image_build)
    definition["metadata"]["name"] = f"{NAMES['plural']}.{definition['spec']['group']}"
    definition["spec"] |= {"scope": "Cluster", "names": NAMES}
    [version] = definition["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    schema["description"] = DESCRIPTION
    schema["properties"]["kind"]["description"] = f"Always {NAMES['kind']}."
    [rule] = schema["x-kubernetes-validations"]
    rule["message"] = f"a cluster has one {NAMES['kind']}: name it default"
    return definition


def render(definition: Schema) -> str:
    """Make the text of the file."""
    return HEAD + yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=120)


def _filled(node: Any, root: Schema) -> Any:  # noqa: ANN401 - any part of a YAML document
    """Replace each reference by the field it names, merged with its sibling keys."""
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
