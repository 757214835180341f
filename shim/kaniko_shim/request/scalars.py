"""Parsers of single values: numbers, durations, switches, checksums."""

import re

_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")
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
    """`true` or `false`, and the usual other words for them."""
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("write true or false")


def parse_count(text: str) -> int:
    """A positive whole number."""
    text = text.strip()
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError("write a whole number greater than 0")
    return int(text)


def parse_seconds(text: str) -> int | None:
    """A duration as Go writes it (`336h`, `1h30m`) or as plain seconds; in whole seconds."""
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
    if seconds < 1:
        raise ValueError("write at least one second")
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


def split_list(text: str, separators: str) -> list[str]:
    """The items between any of the separators; blank ones are dropped."""
    for separator in separators[1:]:
        text = text.replace(separator, separators[0])
    return [item for item in (part.strip() for part in text.split(separators[0])) if item]
