"""Builds and TrackedImages as JSON, YAML or names."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from imagebuild import Build
from imagebuild.tracked import TrackedImage

from kubectl_imagebuild.forms import Output
from kubectl_imagebuild.yaml_text import to_yaml


def rendered(resource: Build | TrackedImage, output: Output) -> str:
    """One object."""
    if output is Output.NAME:
        return f"{resource.document.get('kind', 'ImageBuild').lower()}.imagebuild.dev/{resource.name}\n"
    return _written(resource.document, output)


def rendered_list(resources: Sequence[Build] | Sequence[TrackedImage], output: Output) -> str:
    """Several objects, as a List as kubectl writes it."""
    if output is Output.NAME:
        return "".join(rendered(each, output) for each in resources)
    return _written({"apiVersion": "v1", "kind": "List", "items": [dict(each.document) for each in resources]}, output)


def _written(document: Mapping[str, Any], output: Output) -> str:
    return json.dumps(dict(document), indent=2) + "\n" if output is Output.JSON else to_yaml(document)
