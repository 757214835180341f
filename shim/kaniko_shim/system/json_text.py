"""Reads JSON that somebody else wrote."""

import json
from collections.abc import Callable
from typing import Any


def load_json(text: str | bytes, object_pairs_hook: Callable[[list[tuple[str, Any]]], object] | None = None) -> Any:  # noqa: ANN401 - JSON
    """The document in a text.

    Raises:
        ValueError: it is not JSON, or is nested too deep, which `json.loads` reports as a RecursionError.
    """
    try:
        return json.loads(text, object_pairs_hook=object_pairs_hook)
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None
