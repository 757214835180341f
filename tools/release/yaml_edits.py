"""Changes of single values in a YAML text that leave all comments and the order as they are."""

import json
from collections.abc import Mapping

import yaml

from release.errors import ReleaseError


def with_values(text: str, values: Mapping[str, str]) -> str:
    """The text with other scalars at the given paths, such as {"image.digest": "sha256:…"}.

    Raises:
        ReleaseError: a path leads to no scalar.
    """
    root = yaml.compose(text)
    nodes = {path: _scalar(root, path) for path in values}
    for path, node in sorted(nodes.items(), key=lambda item: item[1].start_mark.index, reverse=True):
        text = text[: node.start_mark.index] + json.dumps(values[path]) + text[node.end_mark.index :]
    return text


def _scalar(node: yaml.Node | None, path: str) -> yaml.ScalarNode:
    for name in path.split("."):
        fields = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for key, value in fields if key.value == name), None)
    if not isinstance(node, yaml.ScalarNode):
        raise ReleaseError(f"{path} is no single value of this file. Correct the path in tools/release.")
    return node
