"""The words of an instruction's arguments."""

import json
import re

from kaniko_shim.dockerfile.spaces import BLANKS

_SURROGATE = re.compile("[\ud800-\udfff]")


def json_words(text: str) -> tuple[str, ...] | None:
    """The words of an instruction's JSON form; None if it has another form.

    As in Go, what is not Unicode becomes U+FFFD.
    """
    if not text.startswith("["):
        return None
    try:
        words = json.loads(_SURROGATE.sub("\ufffd", text), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return None
    return tuple(_SURROGATE.sub("\ufffd", word) for word in words)


def plain_words(text: str) -> tuple[str, ...]:
    """The words that blanks separate, quotes or not, as in FROM, COPY and EXPOSE."""
    return tuple(BLANKS.split(text)) if text else ()


def _refuse(constant: str) -> None:
    raise ValueError(f"JSON has no {constant}")
