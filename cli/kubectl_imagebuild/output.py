"""Builds as JSON, YAML or names."""

import json
from collections.abc import Sequence

import yaml
from imagebuild import Build

from kubectl_imagebuild.forms import Output


def rendered(build: Build, output: Output) -> str:
    """One build."""
    if output is Output.NAME:
        return f"imagebuild.imagebuild.dev/{build.name}\n"
    document = dict(build.document)
    if output is Output.JSON:
        return json.dumps(document, indent=2) + "\n"
    return yaml.safe_dump(document, sort_keys=False)


def rendered_list(builds: Sequence[Build], output: Output) -> str:
    """Several builds, as a List as kubectl writes it."""
    if output is Output.NAME:
        return "".join(rendered(build, output) for build in builds)
    whole = {"apiVersion": "v1", "kind": "List", "items": [dict(build.document) for build in builds]}
    return json.dumps(whole, indent=2) + "\n" if output is Output.JSON else yaml.safe_dump(whole, sort_keys=False)
