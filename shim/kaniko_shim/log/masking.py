"""The one place that keeps secrets out of logs, messages and results."""

import re
from collections.abc import Iterable

MASK = "***"

SHORTEST = 4
"""Values with fewer characters are not masked: they would garble every line and protect nothing."""

_USERINFO = re.compile(r"(?<=://)[^/\s@\"']+@")
_SIGNED_QUERY = re.compile(
    r"(?i)([?&](?:[a-z0-9_.-]*(?:signature|credential|token|secret|password|api[_-]?key|access[_-]?key)"
    r"|sig|se|sv|code|auth)=)[^&\s\"']+"
)
_AUTHORIZATION = re.compile(r"(?i)(authorization:\s*(?:basic|bearer)\s+)\S+")


def mask_url(text: str) -> str:
    """Mask passwords, signed query parameters and authorization headers in any text."""
    text = _USERINFO.sub(MASK + "@", text)
    text = _SIGNED_QUERY.sub(r"\1" + MASK, text)
    return _AUTHORIZATION.sub(r"\1" + MASK, text)


class Masker:
    """Replaces known secrets, and what looks like one in a URL, by `***`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        pieces = set[str]()
        for secret in secrets:
            # Output arrives line by line: a key of many lines is masked line by line.
            pieces.update(piece.strip() for piece in (secret, *secret.splitlines()))
        known = sorted((p for p in pieces if len(p) >= SHORTEST), key=lambda p: (-len(p), p))
        self._known = re.compile("|".join(re.escape(p) for p in known)) if known else None
        self.longest = max((len(p) for p in known), default=0)
        """Length of the longest secret, in characters."""

    def mask(self, text: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return mask_url(text) if "=" in text or "@" in text or ":" in text else text
