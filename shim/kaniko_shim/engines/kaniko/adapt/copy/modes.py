"""The modes of `--chmod`: octal numbers and the symbolic ones of chmod."""

import re
from collections.abc import Callable

_OCTAL = re.compile(r"[0-7]+")
_CLAUSE = re.compile(r"([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)")
_ACTION = re.compile(r"([-+=])([rwxXst]*|[ugo])(?=[-+=]|$)")
_LARGEST = 0o7777
_SHIFTS = {"u": 6, "g": 3, "o": 0}
_BITS = {"r": 4, "w": 2, "x": 1}

Change = Callable[[int, bool], int]
"""The new mode of a file; the second argument says whether it is a directory."""


def parse_mode(text: str) -> Change:
    """What a mode does.

    Raises:
        ValueError: it is neither an octal number up to 7777 nor symbolic.
    """
    if _OCTAL.fullmatch(text):
        value = int(text, 8)
        if value > _LARGEST:
            raise ValueError("it is larger than 7777")
        return lambda _mode, _directory: value
    clauses = [_CLAUSE.fullmatch(clause) for clause in text.split(",")]
    actions = [(each[1] or "ugo", _ACTION.findall(each[2])) for each in clauses if each]
    if len(actions) < len(clauses):
        raise ValueError("it is neither an octal number nor symbolic")

    def change(mode: int, directory: bool) -> int:  # noqa: FBT001 - positional by the type Change
        for who, parts in actions:
            for sign, permissions in parts:
                mode = _applied(mode, who.replace("a", "ugo"), sign, permissions, directory=directory)
        return mode

    return change


def is_symbolic(text: str) -> bool:
    """Whether a mode is symbolic."""
    return bool(re.search(r"[ugoa+=-]", text))


def sets_id(text: str) -> bool:
    """Whether a mode is an octal number with a set-id or sticky bit."""
    return bool(_OCTAL.fullmatch(text)) and int(text, 8) > 0o777  # noqa: PLR2004 - rwx of all


def _applied(mode: int, who: str, sign: str, permissions: str, *, directory: bool) -> int:
    bits = cleared = 0
    for letter in dict.fromkeys(who):
        shift = _SHIFTS[letter]
        bits |= _bits(mode, permissions, directory=directory) << shift
        cleared |= 0o7 << shift
        special = {"u": 0o4000, "g": 0o2000}.get(letter, 0)
        if "s" in permissions:
            bits |= special
        if sign == "=":
            cleared |= special
    if "t" in permissions:
        bits |= 0o1000
    match sign:
        case "+":
            return mode | bits
        case "-":
            return mode & ~bits
        case _:
            return (mode & ~cleared) | bits


def _bits(mode: int, permissions: str, *, directory: bool) -> int:
    if permissions in _SHIFTS:
        return mode >> _SHIFTS[permissions] & 0o7
    bits = 0
    for letter in permissions:
        if letter == "X":
            bits |= 1 if directory or mode & 0o111 else 0
        else:
            bits |= _BITS.get(letter, 0)
    return bits
