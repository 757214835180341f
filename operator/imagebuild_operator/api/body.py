"""JSON objects: what the API server holds, and what is written to it."""

from collections.abc import Mapping
from typing import Any

Body = Mapping[str, Any]
"""An object, or a part of one, as the API server holds it. It is only read."""

Document = dict[str, Any]
"""An object, or a part of one, that is put together or changed."""
