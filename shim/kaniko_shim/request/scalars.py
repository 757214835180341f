"""Parsers of single values: numbers, durations, booleans, checksums, paths, lists."""

import re
from collections.abc import Callable

_DURATION_PART = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?)(ns|us|µs|ms|s|m|h)")
_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")
_MOST_DIGITS = 20
# Ten years: what the executor and timers take without an overflow.
_MOST_SECONDS = 10 * 365 * 24 * 3600
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


def parse_text(text: str) -> str:
    """Any text without surrounding blanks."""
    text = text.strip()
    if "\0" in text or "\n" in text:
        raise ValueError("write it on one line")
    return text


def parse_raw(text: str) -> str:
    """Any text, exactly as it is."""
    return text


def parse_switch(text: str) -> bool:
    """`true` or `false`, or another common word for them."""
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("write true or false")


def count_up_to(most: int) -> Callable[[str], int]:
    """A parser of whole numbers from 1 to `most`."""

    def parse_count(text: str) -> int:
        text = text.strip()
        # Python refuses to read numbers of thousands of digits.
        if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS or not 1 <= int(text) <= most:
            raise ValueError(f"write a whole number from 1 to {most}")
        return int(text)

    return parse_count


def parse_seconds(text: str) -> int | None:
    """A duration as Go writes it (`336h`, `1h30m`) or as plain seconds; in whole seconds, None if unset."""
    text = text.strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        parts = _DURATION_PART.findall(text)
        if "".join(number + unit for number, unit in parts) != text:
            raise ValueError("write a duration such as 336h or 90m, or a number of seconds")
        seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)
    if not 1 <= seconds <= _MOST_SECONDS:
        raise ValueError(f"write at least one second and at most {_MOST_SECONDS // 3600}h")
    return round(seconds)


def parse_sha256(text: str) -> str:
    """64 hexadecimal digits, `sha256:` before them allowed; lower case, empty if unset."""
    text = text.strip()
    if not text:
        return ""
    match = _SHA256.fullmatch(text)
    if match is None:
        raise ValueError("write the 64 hexadecimal digits that sha256sum prints")
    return match[1].lower()


def parse_absolute(text: str) -> str:
    """An absolute path on one line; empty if unset."""
    text = parse_text(text)
    if text and not text.startswith("/"):
        raise ValueError("write an absolute path")
    return text


def split_origins(text: str, what: str, check: Callable[[str, str], None]) -> dict[str, str]:
    """Read comma-separated pairs of a name and the environment variable that holds its value.

    Args:
        text: the pairs, `NAME=ENVIRONMENT_VARIABLE`.
        what: what the names are, in capitals, for messages.
        check: raises ValueError for a bad name; gets the name and how to show the pair.

    Raises:
        ValueError: says which pair is wrong and why.
    """
    origins = dict[str, str]()
    for item in split_list(text, ","):
        name, equals, variable = (part.strip() for part in item.partition("="))
        if not equals or not variable:
            raise ValueError(f"{item!r}: write {what}=ENVIRONMENT_VARIABLE")
        check(name, repr(item))
        if name in origins:
            raise ValueError(f"{name!r} appears twice")
        origins[name] = variable
    return origins


def split_list(text: str, separators: str) -> list[str]:
    """The items between any of the separators; blank ones are dropped."""
    for separator in separators[1:]:
        text = text.replace(separator, separators[0])
    return [item for item in (part.strip() for part in text.split(separators[0])) if item]
