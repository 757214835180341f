"""Parses the answer of a registry from an error of the executor or crane.

Both use the same library, which writes `METHOD URL: CODE: message`, where the registry named an error code, and
`METHOD URL: unexpected status code NUMBER …` where it did not. The URL contains names of images, and the message may,
so neither says anything about the kind of failure.
"""

import re
from dataclasses import dataclass

_REQUEST = re.compile(r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE) https?://\S+: ")
_STATUS = re.compile(r"unexpected status code (\d{3})\b")
_CODE = re.compile(r"([A-Z][A-Z0-9_]+|[a-z_]+)(?::|;|\s*$)")
_SEVERAL = "multiple errors returned: "

# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes, and what registries add to them.
_CODES = {
    "BLOB_UNKNOWN": 404,
    "BLOB_UPLOAD_INVALID": 400,
    "BLOB_UPLOAD_UNKNOWN": 404,
    "DENIED": 403,
    "DIGEST_INVALID": 400,
    "INTERNAL": 500,
    "INTERNAL_ERROR": 500,
    "INTERNAL_SERVER_ERROR": 500,
    "MANIFEST_BLOB_UNKNOWN": 404,
    "MANIFEST_INVALID": 400,
    "MANIFEST_UNKNOWN": 404,
    "NAME_INVALID": 400,
    "NAME_UNKNOWN": 404,
    "NOT_FOUND": 404,
    "PAGINATION_NUMBER_INVALID": 400,
    "PRECONDITION": 412,
    "RANGE_INVALID": 416,
    "SIZE_INVALID": 400,
    "TAG_INVALID": 400,
    "TOOMANYREQUESTS": 429,
    "UNAUTHORIZED": 401,
    "UNAVAILABLE": 503,
    "UNKNOWN": 500,
    "UNSUPPORTED": 405,
}
_BAD_REQUEST = 400
_SERVER_ERROR = 500
_PASSING = frozenset({408, 425})

UNAUTHORIZED = frozenset({"401", "403", "UNAUTHORIZED", "DENIED"})
"""Signs of an answer that denies access."""

MISSING = frozenset({"404", "MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"})
"""Signs of an answer that the image or repository does not exist."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An error that a registry answered.

    Attributes:
        signs: its HTTP status as text, its error codes, and its class: `4xx` or `5xx`; with `4xx` also `rejected` if
            the registry rejected what was sent, rather than the credentials or the rate of requests.
        message: the text of the registry, after the code.
        request: the part of the error before the answer.
    """

    signs: frozenset[str]
    message: str
    request: str


def parse_answer(error: str) -> Answer | None:
    """Parse the answer; None if the error contains none, such as a network error."""
    match = _REQUEST.search(error)
    begin = match.end() if match else 0
    rest = error[begin:]
    status = _STATUS.search(rest) if match is None else _STATUS.match(rest)
    if status:
        return Answer(_signs(int(status[1])) | {status[1]}, rest, error[:begin] or error[: status.start()])
    if match is None:
        return None
    texts = rest.removeprefix(_SEVERAL).split("; ") if rest.startswith(_SEVERAL) else [rest]
    codes = {code: status for text in texts for code, status in _code(text)}
    if not codes:
        return None
    return Answer(frozenset(codes).union(*map(_signs, codes.values())), rest, error[:begin])


def is_missing(error: str) -> bool:
    """Whether a registry answered that the image or repository does not exist."""
    answer = parse_answer(error)
    return answer is not None and bool(answer.signs & MISSING)


def _code(text: str) -> list[tuple[str, int]]:
    match = _CODE.match(text)
    if match is None:
        return []
    code = match[1].upper()
    if code in _CODES:
        return [(code, _CODES[code])]
    # A code of the registry's own is followed by a message; a single word such as EOF is none.
    own = match[1].isupper() and match[0].endswith(":")
    return [(code, _SERVER_ERROR if "INTERNAL" in code else _BAD_REQUEST)] if own else []


def _signs(status: int) -> frozenset[str]:
    if status >= _SERVER_ERROR or status in _PASSING:
        return frozenset({"5xx"})
    if status in {401, 429}:
        return frozenset({"4xx"})
    return frozenset({"4xx", "rejected"})
