"""Label selectors. Pure."""

import re
from collections.abc import Mapping
from typing import Final

#: One requirement of a selector: KEY in (A, B), KEY=VALUE, KEY or !KEY.
_SET: Final = re.compile(r"(?P<key>[^\s,=!()]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^)]*)\)")
_EQUAL: Final = re.compile(r"(?P<key>[^\s,=!()]+)\s*(?P<operator>==|!=|=)\s*(?P<values>[^\s,()]*)")
_EXISTS: Final = re.compile(r"(?P<operator>!?)\s*(?P<key>[^\s,=!()]+)")


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether a label selector, as kubectl takes it, selects an object with these labels."""
    rest, selected = selector.strip(), True
    while rest:
        found = _SET.match(rest) or _EQUAL.match(rest) or _EXISTS.match(rest)
        if found is None:
            raise ValueError(f"{selector!r} is no label selector")
        selected = selected and _meets(found, labels)
        rest = rest[found.end() :].lstrip().removeprefix(",").lstrip()
    return selected


def _meets(requirement: re.Match[str], labels: Mapping[str, str]) -> bool:
    value, operator = labels.get(requirement["key"]), requirement["operator"]
    if "values" not in requirement.groupdict():
        return (value is None) == bool(operator)
    values = {each.strip() for each in requirement["values"].split(",")}
    is_one = value is not None and value in values
    return is_one if operator in {"in", "=", "=="} else not is_one
