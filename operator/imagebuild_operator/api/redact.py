"""Mask secrets in everything that the operator writes: its log, Events and the status. Pure.

The operator cannot read Secrets. What could leak comes from elsewhere: a URL in a spec, the answer of a registry, the
end of a build's log. A RUN chooses much of that text, so every function here takes time proportional to its length.
"""

import re
from typing import Any, Final, TypeVar

MASK: Final = "***"

#: Characters, besides tabs and line feeds, that a terminal would obey or that change the direction of text, and lone
#: surrogates, which cannot be encoded.
UNSHOWN: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)

_PEM_BEGIN: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,64})-----")
_PEM_END: Final = re.compile(r"-----END [A-Z0-9 ]{1,64}-----")
#: PEM blocks whose label contains one of these are masked; a public key is not.
_SECRET_LABELS: Final = ("PRIVATE KEY", "CERTIFICATE", "SECRET")
#: The lines of a PEM block in front of its end, in reversed text: possessive, so that nothing is read twice.
_PEM_LINES_REVERSED: Final = re.compile(r"\s++[A-Za-z0-9+/=]++(?:\s++[A-Za-z0-9+/=]{16,}+)*+")
#: User and password in front of a host. `oci://name@sha256:…` has none.
_USERINFO: Final = re.compile(r"(?<=://)[^/\s\"'<>]+@(?!sha256:)")
_SIGNED_QUERY: Final = re.compile(
    r"(?i)([?&](?:[a-z0-9_.-]*(?:signature|credential|token|secret|password|api[_-]?key|access[_-]?key)"
    r"|sig|se|sv|code|auth)=)[^&\s\"'<>]+"
)
#: As a header, in JSON, and in the repr of a dict.
_AUTHORIZATION: Final = re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|token)\s+)[^\s\"',}]+")
#: `auth` and the like in a Docker config; a value that was cut off has no closing quote.
_DOCKER_AUTH: Final = re.compile(r"(?i)([\"'](?:auth|password|identitytoken|registrytoken)[\"']\s*:\s*[\"'])[^\"']+")
#: A variable whose value has a NUL character, as runc quotes it when a container can't start.
_NUL_IN_VARIABLE: Final = re.compile(r"(can't contain null\(\\x00\): )[^\n]+")
#: A word that a JSON Web Token, such as a ServiceAccount's, could be in.
_DOTTED: Final = re.compile(r"[A-Za-z0-9_.-]++")
#: What every JSON Web Token begins with, and the least length of each of its first two parts.
_JWT: Final = "eyJ"
_JWT_PART: Final = 8

Value = TypeVar("Value")


def redact(text: str) -> str:
    """Replace whatever looks like a secret with `***`. A second call changes nothing."""
    text = _redact_pem(text) if "-----BEGIN " in text else text
    text = _redact_pem_ends(text) if "-----END " in text else text
    text = _USERINFO.sub(f"{MASK}@", text) if "://" in text else text
    text = _SIGNED_QUERY.sub(rf"\g<1>{MASK}", text) if "=" in text else text
    text = _AUTHORIZATION.sub(rf"\g<1>{MASK}", text) if ":" in text or "=" in text else text
    text = _DOCKER_AUTH.sub(rf"\g<1>{MASK}", text) if '"' in text or "'" in text else text
    text = _NUL_IN_VARIABLE.sub(rf"\g<1>{MASK}", text) if "contain null" in text else text
    return _DOTTED.sub(_redact_jwt, text) if _JWT in text else text


def head(text: str, limit: int) -> str:
    """The first `limit` characters at most. The cut is at a blank, since half a secret might not look like one."""
    if len(text) <= limit:
        return text
    text = text[:limit]
    return text[: 1 + max(text.rfind(" "), text.rfind("\n"))]


def tail(text: str, limit: int) -> str:
    """The last `limit` characters at most, whole lines only, since half a secret might not look like one."""
    return text if len(text) <= limit else text[-limit:].partition("\n")[2]


def redact_all(value: Value) -> Value:
    """Redact every string in a JSON value; keys stay."""
    found: Any = value
    if isinstance(value, str):
        found = redact(value)
    elif isinstance(value, dict):
        found = {key: redact_all(item) for key, item in value.items()}
    elif isinstance(value, list | tuple):
        found = type(value)(redact_all(item) for item in value)
    return found  # type: ignore[no-any-return]


def _redact_pem(text: str) -> str:
    """Mask PEM blocks; one without an end reaches to the end of the text."""
    kept: list[str] = []
    at = 0
    while begin := _PEM_BEGIN.search(text, at):
        kept.append(text[at : begin.end()])
        at = begin.end()
        if any(label in begin[1] for label in _SECRET_LABELS):
            kept.append(MASK)
            end = text.find(f"-----END {begin[1]}-----", at)
            at = end if end >= 0 else len(text)
    return "".join(kept) + text[at:]


def _redact_pem_ends(text: str) -> str:
    """Mask the lines in front of the end of a PEM block whose beginning was cut off."""
    kept: list[str] = []
    at = 0
    for end in _PEM_END.finditer(text):
        before = text[at : end.start()]
        if lines := _PEM_LINES_REVERSED.match(before[::-1]):
            before = before[: len(before) - lines.end()] + MASK
        kept.append(before + end[0])
        at = end.end()
    return "".join(kept) + text[at:]


def _redact_jwt(word: re.Match[str]) -> str:
    """Mask the JSON Web Tokens in a word: three parts with dots between them, of which the last may be empty."""
    if _JWT not in word[0]:
        return word[0]
    parts = word[0].split(".")
    kept: list[str] = []
    at = 0
    while at < len(parts):
        begin = parts[at].find(_JWT)
        is_long = 0 <= begin <= len(parts[at]) - len(_JWT) - _JWT_PART
        if is_long and at + 2 < len(parts) and len(parts[at + 1]) >= _JWT_PART:
            kept.append(parts[at][:begin] + MASK)
            at += 3
        else:
            kept.append(parts[at])
            at += 1
    return ".".join(kept)
