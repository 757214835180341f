"""The definition of TrackedImage; the spec of its builds has the shape that an ImageBuild's has."""

import copy
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]

SOURCE = Path(__file__).with_name("trackedimage.yaml")
HEAD = "# Generated from tools/docs/trackedimage.yaml and crds/imagebuild.yaml by `make docs`.\n"
# What a TrackedImage decides itself, or what belongs to a single build.
LEFT_OUT = ("cancel", "suspend")


def outline() -> Schema:
    """Make the definition without the fields that the spec of an ImageBuild has, too."""
    definition: Schema = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    [version] = definition["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["template"]["properties"]["spec"]["type"] = "object"
    return definition


def build(image_build: Schema) -> Schema:
    """Make the definition."""
    definition: Schema = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    [version] = definition["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    template = spec["properties"]["template"]
    template["properties"]["spec"] = {**_template(image_build), **template["properties"]["spec"]}
    return definition


def render(definition: Schema) -> str:
    """Make the text of the file."""
    return HEAD + yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=120)


def _template(image_build: Schema) -> Schema:
    [version] = image_build["spec"]["versions"]
    spec: Schema = copy.deepcopy(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
    for name in LEFT_OUT:
        del spec["properties"][name]
    output = spec["properties"]["output"]
    del output["properties"]["images"], output["required"]
    # Flux may bring the source.
    del spec["required"]
    # An ImageBuild is immutable, and this is none.
    rules = [rule for rule in spec["x-kubernetes-validations"] if "oldSelf" not in rule["rule"]]
    spec["x-kubernetes-validations"] = [
        {
            **rule,
            "rule": rule["rule"]
            .replace("!has(self.output.", "!has(self.output) || !has(self.output.", 1)
            .replace("has(self.source.", "has(self.source) && has(self.source."),
        }
        for rule in rules
    ]
    return spec
