"""Labels of the image, from LABELS."""

from dataclasses import dataclass

from kaniko_shim.request.scalars import split_list
from kaniko_shim.system.json_text import load_json


@dataclass(frozen=True, slots=True)
class Label:
    """A label with its value."""

    name: str
    value: str


def parse_labels(text: str) -> tuple[Label, ...]:
    """Read comma-separated `name=value` pairs, or a JSON object for values that hold commas.

    Raises:
        ValueError: says what to write instead.
    """
    pairs = _from_json(text) if text.strip().startswith("{") else [_pair(item) for item in split_list(text, ",")]
    labels = list[Label]()
    for name, value in pairs:
        if not name or "=" in name or "\0" in name + value:
            raise ValueError(f"{name!r} is not a label name: write a name without =")
        if any(label.name == name for label in labels):
            raise ValueError(f"{name!r} appears twice")
        labels.append(Label(name, value))
    return tuple(labels)


def _pair(item: str) -> tuple[str, str]:
    name, equals, value = item.partition("=")
    if not equals:
        raise ValueError(f"{item!r}: write name=value, or a JSON object if a value holds a comma")
    return name.strip(), value


def _from_json(text: str) -> list[tuple[str, str]]:
    try:
        pairs: list[tuple[str, object]] = load_json(text, object_pairs_hook=list)
    except ValueError as error:
        raise ValueError("write a JSON object of strings, or name=value pairs separated by commas") from error
    labels = [(name, value) for name, value in pairs if isinstance(value, str)]
    if labels != pairs:
        raise ValueError("each value in the JSON object must be a string")
    return labels
