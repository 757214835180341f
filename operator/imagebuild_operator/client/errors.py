"""Errors of the client library and of the API server as those of this package."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import aiohttp

from imagebuild_operator.api.errors import ClusterError, ConflictError, NotFoundError, RejectedError
from imagebuild_operator.api.redact import head

#: Characters of a Status's message. A webhook chooses much of it.
MAX_MESSAGE: Final = 4096
#: Characters of an answer that is not a Status and is quoted in the message.
MAX_QUOTE: Final = 500

_ERRORS: Final[Mapping[int, type[ClusterError]]] = {
    400: RejectedError,
    403: RejectedError,
    404: NotFoundError,
    409: ConflictError,
    422: RejectedError,
}


def cluster_error(status: int, body: str | bytes | None, headers: Mapping[str, str] | None = None) -> ClusterError:
    """Turn an answer of the API server into an exception with the API server's own message."""
    try:
        message = head(str(json.loads(body or "")["message"]), MAX_MESSAGE)
    except (ValueError, KeyError, TypeError):
        message = (body.decode(errors="replace") if isinstance(body, bytes) else body or "").strip()[:MAX_QUOTE]
    after = (headers or {}).get("Retry-After", "")
    retry_after = float(after) if after.isdecimal() else 0.0
    return _ERRORS.get(status, ClusterError)(status, message or f"the API server answered {status}", retry_after)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise errors of the client library as `ClusterError`."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ClusterError(0, f"the API server does not answer: {error!r}") from error
