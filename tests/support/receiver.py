"""Receives what the operator's watches show, and takes it down."""

from collections.abc import Mapping
from typing import Any


class Receiver:
    """Knows what was seen of which resource, in its order.

    Attributes:
        seen_objects: The resource, the kind of the event, and the object's resourceVersion.
        lists: The resource, the resourceVersion of the list and the uids in it; of a list that begins, the resource.
    """

    def __init__(self) -> None:
        self.seen_objects: list[tuple[str, str, object]] = []
        self.lists: list[tuple[object, ...]] = []

    def seen(self, plural: str, kind: str, body: Mapping[str, Any]) -> None:
        self.seen_objects.append((plural, kind, body["metadata"]["resourceVersion"]))

    def list_begins(self, plural: str, namespace: str) -> None:
        self.lists.append((plural, namespace))

    def list_ends(self, plural: str, namespace: str, version: int, uids: set[str]) -> None:
        self.lists.append((plural, namespace, version, uids))
