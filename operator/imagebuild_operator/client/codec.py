"""JSON as the API server reads and writes it."""

import json
from typing import Any

import orjson


def decode(content: bytes) -> Any:  # noqa: ANN401 - whatever it holds
    """Read a JSON document.

    Raises:
        ValueError: it is none.
    """
    return orjson.loads(content)


def encode(document: object) -> bytes:
    """Write a JSON document.

    Text may have half of a surrogate pair, which UTF-8 cannot express: a RUN can forge a report that has one.
    """
    try:
        return orjson.dumps(document)
    except TypeError:
        return json.dumps(document).encode()
