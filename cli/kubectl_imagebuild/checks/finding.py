"""The result of a check. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a check ended."""

    OK = "ok"
    #: Some builds or commands will not work.
    WARNING = "warning"
    #: No build will work.
    FAILED = "failed"
    #: The user may not see what the check needs.
    HIDDEN = "not visible"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check.

    Attributes:
        check: What was checked, in a word or two.
        level: How it ended.
        message: What was found.
        hint: What to do next; empty if there is nothing to do.
    """

    check: str
    level: Level
    message: str
    hint: str = ""


def ok(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, message)


def warning(check: str, message: str, hint: str = "") -> Finding:
    """Some builds or commands will not work."""
    return Finding(check, Level.WARNING, message, hint)


def failed(check: str, message: str, hint: str = "") -> Finding:
    """No build will work."""
    return Finding(check, Level.FAILED, message, hint)


def hidden(check: str, message: str, hint: str = "") -> Finding:
    """The user may not see it."""
    return Finding(check, Level.HIDDEN, message, hint)


def text(findings: Iterable[Finding]) -> str:
    """One line per finding."""
    rows = list(findings)
    widths = max(len(each.level) for each in rows), max(len(each.check) for each in rows)
    lines = [
        f"{each.level:<{widths[0]}}   {each.check:<{widths[1]}}   {' '.join(f'{each.message} {each.hint}'.split())}"
        for each in rows
    ]
    return "".join(f"{line}\n" for line in lines)
