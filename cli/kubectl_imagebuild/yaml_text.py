"""Objects as YAML for people: fields in their order, text with several lines as such."""

from collections.abc import Mapping
from typing import Any, Final

import yaml


def to_yaml(document: Mapping[str, Any]) -> str:
    """An object as YAML."""
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _without_aliases(_: yaml.SafeDumper, value: object) -> bool:
    """What occurs twice is repeated."""
    return value is not None


#: The parser in C is many times as fast, and not everywhere.
_Dumper: Final = type("_Dumper", (getattr(yaml, "CSafeDumper", yaml.SafeDumper),), {"ignore_aliases": _without_aliases})
yaml.add_representer(str, _text, _Dumper)
