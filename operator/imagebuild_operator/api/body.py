"""JSON objects: what the API server holds, and what is written to it."""

from collections.abc import Mapping
from typing import Any

from imagebuild_vocabulary.names import API_VERSION

Body = Mapping[str, Any]
"""An object, or a part of one, as the API server holds it. It is only read."""

Document = dict[str, Any]
"""An object, or a part of one, that is put together or changed."""


def reference(kind: str, namespace: str, name: str, uid: str, version: str) -> Document:
    """An ObjectReference to an object of this API, as Events have it."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "uid": uid,
        "resourceVersion": version,
    }
