"""The one place that keeps secrets out of logs, messages and results."""

import re
from collections.abc import Iterable

MASK = "***"

SHORTEST = 4
"""Values with fewer characters are not masked: they would garble every line and protect nothing."""

SHORTEST_LINE = 8
"""Lines of a secret with fewer characters are not masked: one of them may be a word such as `true`."""

_USERINFO = re.compile(r"(://)[^/\s\"']+@(?!sha256:)")
_SIGNED_QUERY = re.compile(
    r"(?i)([?&](?:[a-z0-9_.-]*(?:signature|credential|token|secret|password|api[_-]?key|access[_-]?key)"
    r"|sig|se|sv|code|auth)=)[^&\s\"']+"
)
_AUTHORIZATION = re.compile(r"(?i)(authorization:\s*(?:basic|bearer)\s+)\S+")
_FORMS = tuple(re.compile(form.pattern.encode()) for form in (_USERINFO, _SIGNED_QUERY, _AUTHORIZATION))


def mask_url(text: str) -> str:
    """Mask passwords, signed query parameters and authorization headers in any text."""
    text = _USERINFO.sub(r"\1" + MASK + "@", text)
    text = _SIGNED_QUERY.sub(r"\1" + MASK, text)
    return _AUTHORIZATION.sub(r"\1" + MASK, text)


class Masker:
    """Replaces known secrets, and what looks like one in a URL, by `***`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = set[str]()
        self.longest = 0
        """Length of the longest secret, in bytes."""
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Mask more secrets from now on."""
        self._secrets.update(secrets)
        pieces = set[str]()
        for secret in self._secrets:
            # Output arrives line by line: a key of many lines is masked line by line.
            lines = secret.splitlines()
            pieces.add(secret.strip())
            pieces.update(line for each in lines if len(line := each.strip()) >= SHORTEST_LINE or len(lines) == 1)
        # Bytes that are no UTF-8 are replaced where output is read.
        pieces.update([_bytes(piece).decode("utf-8", "replace") for piece in pieces if not piece.isprintable()])
        known = sorted((p for p in pieces if len(p) >= SHORTEST), key=lambda p: (-len(p), p))
        self._known = re.compile("|".join(re.escape(p) for p in known)) if known else None
        encoded = [_bytes(p) for p in known]
        self._encoded = re.compile(b"|".join(re.escape(p) for p in encoded)) if encoded else None
        self.longest = max((len(p) for p in encoded), default=0)

    def mask(self, text: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return mask_url(text) if "=" in text or "@" in text or ":" in text else text

    def whole(self, content: bytes, at: int) -> int:
        """Where to cut bytes so that no secret is cut in two.

        That is the given place, or the beginning of the secrets around it, or their end where they begin the bytes.
        """
        forms = (*_FORMS, self._encoded) if self._encoded else _FORMS
        begin = end = 0
        for first, last in sorted(found.span() for form in forms for found in form.finditer(content)):
            if first >= end:
                if max(first, end) >= at:
                    break
                begin = first
            end = max(end, last)
        return (begin or end) if begin < at < end else at


def _bytes(text: str) -> bytes:
    """The bytes that a text was read from, or would be written as."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
