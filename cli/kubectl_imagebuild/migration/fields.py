"""Reading an object of another API so that nothing of it is lost without a word."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

_UNITS = {"h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(\d+)([hms])")
#: Labels that a Job gives to its pods.
_OF_A_JOB = re.compile(r"batch\.kubernetes\.io/|controller-uid$|job-name$")
#: What every object has, or the API server writes.
_OF_THE_SERVER = ("apiVersion", "kind", "status", "metadata")


@dataclass
class Migrated:
    """What an object became.

    Attributes:
        of: The object, as `KIND NAME`.
        documents: The manifests to apply.
        notes: What has no counterpart, or needs a hand, one sentence each.
    """

    of: str
    documents: list[Document] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Fields:
    """An object, of which each field is taken once; the rest has no counterpart."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._left: Document = deepcopy(dict(document))
        for name in _OF_THE_SERVER:
            self._left.pop(name, None)

    def take(self, path: str) -> Any:  # noqa: ANN401 - whatever is there
        """Take the value at a path such as `spec.source.git.url`; None if there is none."""
        *parents, name = path.split(".")
        holders = [self._left]
        for parent in parents:
            held = holders[-1].get(parent)
            if not isinstance(held, dict):
                return None
            holders.append(held)
        value = holders[-1].pop(name, None)
        # An object of which all was taken is done.
        for parent, holder, emptied in reversed(list(zip(parents, holders, holders[1:], strict=False))):
            if not emptied:
                holder.pop(parent, None)
        return value

    def text(self, path: str) -> str:
        """The same, as text; empty if there is none."""
        value = self.take(path)
        return "" if value is None else str(value)

    def items(self, path: str) -> list[Any]:
        """The same for a list; empty if there is none."""
        value = self.take(path)
        return list(value) if isinstance(value, list) else []

    def drop(self, *paths: str) -> None:
        """Leave out what means nothing here."""
        for path in paths:
            self.take(path)

    def rest(self) -> Iterator[str]:
        """A sentence for each field that was not taken."""
        for path in _paths(self._left, ""):
            yield f"{path} has no counterpart and is left out."


def _paths(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _paths(inner, f"{path}.{name}" if path else str(name))
    elif value not in (None, "", [], {}):
        yield path


def put(document: Document, path: str, value: object) -> None:
    """Set a field, and the objects around it; nothing is set for no value."""
    if value in (None, "", [], {}):
        return
    *parents, name = path.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
    document[name] = value


def seconds(text: str) -> int | None:
    """The seconds of a duration as Go writes it, such as 1h30m; None for anything else."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def split_image(image: str) -> tuple[str, str]:
    """Repository and tag; `latest` for none, and a digest is dropped."""
    bare = image.partition("@")[0]
    head, slash, last = bare.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{head}{slash}{name}", tag or "latest"


def name_and_value(text: str) -> Document:
    """A build argument of `NAME=VALUE`."""
    name, _, value = text.partition("=")
    return {"name": name, "value": value}


def manifest(kind: str, metadata: Mapping[str, Any], spec: Document) -> Document:
    """A manifest with the name, the namespace and the labels of another object."""
    kept = {name: metadata[name] for name in ("name", "generateName", "namespace") if metadata.get(name)}
    labels = {name: value for name, value in (metadata.get("labels") or {}).items() if not _OF_A_JOB.match(name)}
    put(kept, "labels", labels)
    return {"apiVersion": "imagebuild.dev/v1alpha1", "kind": kind, "metadata": kept, "spec": spec}


def tracked(metadata: Mapping[str, Any], spec: Document, images: list[str], triggers: Document) -> Document:
    """A TrackedImage of the spec of a build that pushes to these images."""
    image: Document = {}
    put(image, "repositories", list(dict.fromkeys(split_image(each)[0] for each in images)))
    put(image, "movingTags", list(dict.fromkeys(split_image(each)[1] for each in images)))
    made: Document = {"template": {"spec": spec}, "image": image}
    put(made, "triggers", triggers)
    return manifest("TrackedImage", metadata, made)


def keep_history(image: Document, fields: Fields, succeeded: str, failed: str) -> None:
    """Take the limits of a history into that of a TrackedImage, which keeps its latest image always.

    Args:
        image: The TrackedImage.
        fields: The object.
        succeeded: The path of the limit of successful builds in it.
        failed: The path of that of failed ones.
    """
    for name, path, least in (("succeeded", succeeded, 1), ("failed", failed, 0)):
        limit = fields.take(path)
        put(image["spec"], f"history.{name}", max(limit, least) if isinstance(limit, int) else None)
