"""Answers of the API server as errors."""

import json
from typing import Final

from imagebuild.errors import (
    ApiError,
    ExistsError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    NotInstalledError,
    UnauthorizedError,
)

#: Characters of an answer that is no Status and is quoted.
MAX_QUOTE: Final = 500
_KINDS: Final[dict[int, type[ApiError]]] = {
    400: InvalidError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ExistsError,
    422: InvalidError,
}
_HINTS: Final = {
    401: "Log in to the cluster again.",
    403: "Ask an administrator of the namespace for the ClusterRole edit.",
    409: "Choose another name.",
    500: "Try again.",
}


def refusal(status: int, body: str | bytes | None) -> ApiError:
    """Make the error for an answer with the API server's own message."""
    try:
        document = json.loads(body or "")
        message = str(document["message"])
        has_details = bool((document.get("details") or {}).get("name"))
    except (ValueError, KeyError, TypeError, AttributeError):
        message = (body.decode(errors="replace") if isinstance(body, bytes) else body or "").strip()[:MAX_QUOTE]
        has_details = False
    message = message.strip() or f"The API server answered {status}."
    if status == 404 and not has_details:  # noqa: PLR2004 - a path that the API server does not know at all
        text = "The cluster has no resource imagebuilds.imagebuild.dev."
        return NotInstalledError(status, text, "Install the operator: see its README.")
    hint = _HINTS.get(min(status, 500), "")
    return _KINDS.get(status, ApiError)(status, message if message.endswith((".", "!")) else f"{message}.", hint)
