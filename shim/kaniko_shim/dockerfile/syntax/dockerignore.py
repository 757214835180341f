"""`.dockerignore` as the executor reads it."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, from one line of the file.

    Attributes:
        expression: what a path must match.
        depth: how many names the pattern has.
        keeps: whether it takes paths out again (`!`).
    """

    expression: re.Pattern[str]
    depth: int
    keeps: bool


def parse_ignore_file(content: bytes) -> tuple[Pattern, ...]:
    """Read the patterns; none if one of them is malformed, because the executor then ignores nothing."""
    patterns = list[Pattern]()
    for line in content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n"):
        text = line.strip()
        if line.startswith("#") or not text:
            continue
        keeps = text.startswith("!")
        text = text.removeprefix("!").strip()
        if not text:
            continue
        text = posixpath.normpath(text).lstrip("/") or "/"
        expression = _expression(text)
        if expression is None:
            return ()
        patterns.append(Pattern(expression, text.count("/") + 1, keeps))
    return tuple(patterns)


def is_ignored(path: str, patterns: Sequence[Pattern]) -> bool:
    """Whether a path relative to the context is ignored: the last line that matches decides.

    A line also matches what lies below a directory that it names. As in the executor, only the parent with as many
    names as the line is tried.
    """
    ignored = False
    names = path.split("/")
    for pattern in patterns:
        if pattern.keeps != ignored:
            continue
        match = pattern.expression.fullmatch(path)
        if not match and pattern.depth < len(names):
            match = pattern.expression.fullmatch("/".join(names[: pattern.depth]))
        if match:
            ignored = not pattern.keeps
    return ignored


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str] | None:
    """A pattern in the language of Go's filepath.Match, with ** for any number of names."""
    made = ""
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "*" and pattern.startswith("*", position):
            position += 1
            if pattern.startswith("/", position):
                position += 1
            made += ".*" if position == len(pattern) else "(?:.*/)?"
        elif character == "*":
            made += "[^/]*"
        elif character == "?":
            made += "[^/]"
        elif character == "\\" and position < len(pattern):
            made += re.escape(pattern[position])
            position += 1
        elif character == "[":
            end = pattern.find("]", position + 1)
            if end < 0:
                return None
            inner = pattern[position:end].replace("[", "\\[")
            made += f"[{inner}]"
            position = end + 1
        else:
            made += re.escape(character)
    try:
        return re.compile(made, re.DOTALL)
    except re.error:
        return None
