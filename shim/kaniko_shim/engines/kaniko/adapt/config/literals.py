"""Writes values into a Dockerfile so that an executor reads exactly them."""

import re

_SPECIAL = re.compile(r"([\"'\\$\s])")
_SPECIAL_IN_QUOTES = re.compile(r"([\"'\\$])")
_PLAIN = re.compile(r"[A-Za-z0-9._/:@,+=-]*")


def is_plain(text: str) -> bool:
    """Whether a text has nothing that is expanded, quoted or escaped."""
    return bool(_PLAIN.fullmatch(text))


def literal(text: str) -> str:
    """A word that expands to a text."""
    return _SPECIAL.sub(r"\\\1", text)


def literal_of_global(text: str) -> str:
    """The default of an ARG before the first FROM, of which the executor takes the quotes off before it expands it."""
    escaped = _SPECIAL_IN_QUOTES.sub(r"\\\1", text)
    return text if is_plain(text) else f'"{escaped}"'
