"""One pattern of a `.dockerignore`, compiled as moby/patternmatcher does it, with its peculiarities."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from imagebuild_dockerignore.automaton import Accepts, Automaton, Step

_CLASSES = {
    "d": r"[0-9]", "D": r"[^0-9]", "s": r"[\t\n\f\r ]", "S": r"[^\t\n\f\r ]",
    "w": r"[0-9A-Za-z_]", "W": r"[^0-9A-Za-z_]",
    "a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Set:
    """A token that takes any character of a set."""

    accepts: Accepts
    repeats: bool = False


class _Kind(Enum):
    """How a pattern is compared with a path."""

    EXACT = auto()
    PREFIX = auto()
    SUFFIX = auto()
    EXPRESSION = auto()


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled pattern.

    Attributes:
        text: the pattern.
        kind: how it is compared.
        automaton: for those that are more than a text.
        of_name: whether only the last name of a path counts.
    """

    text: str
    kind: _Kind
    automaton: Automaton = field(default_factory=lambda: Automaton(()), repr=False)
    of_name: bool = False

    def matches(self, path: str) -> bool:
        """Whether it matches a whole path, relative to the context."""
        match self.kind:
            case _Kind.EXACT:
                return path == self.text
            case _Kind.PREFIX:
                return path.startswith(self.text[:-2])
            case _Kind.SUFFIX:
                suffix = self.text[2:]
                return path.endswith(suffix) or path == suffix.removeprefix("/")
            case _Kind.EXPRESSION if self.of_name:
                directory, _, name = path.rpartition("/")
                # `**` is `.*` in Go, which takes no newline.
                return "\n" not in directory and self.automaton.matches(name)
            case _Kind.EXPRESSION:
                return self.automaton.matches(path)


def compile_glob(text: str) -> Glob:
    """Compile a pattern.

    Raises:
        ValueError: it is malformed; the text says how.
    """
    kind = _Kind.EXACT
    steps = list[Step]()
    tokens = list(_tokens(text))
    for place, part in enumerate(tokens):
        match part:
            case "**" if place + 1 == len(tokens) and kind is _Kind.EXACT and place:
                kind = _Kind.PREFIX
            case "**" if place + 1 == len(tokens):
                steps.append(Step(_not_a_newline, repeats=True))
                kind = _Kind.EXPRESSION
            case "**":
                steps += (Step(None, skips=2), Step(_not_a_newline, repeats=True), Step("/".__eq__))
                kind = _Kind.EXPRESSION
            case _Set(accepts, repeats):
                steps.append(Step(accepts, repeats=repeats))
                kind = _Kind.EXPRESSION
            case "^":
                steps.append(Step(None, begins=True))
            case _:
                steps.append(Step(part.__eq__))
        if place == 0 and part == "**":
            kind = _Kind.SUFFIX
    if kind is not _Kind.EXPRESSION:
        return Glob(text, kind)
    of_name = tokens[0] == "**" and not any(_crosses(token) for token in tokens[1:])
    return Glob(text, kind, Automaton(tuple(steps[3:] if of_name else steps)), of_name)


def _tokens(text: str) -> Iterator[str | _Set]:
    """A character for itself, `**` with its slash, `^` at the beginning, or a set of characters."""
    place = 0
    while place < len(text):
        character = text[place]
        place += 1
        if character == "*" and text.startswith("*", place):
            place += 2 if text.startswith("/", place + 1) else 1
            yield "**"
        elif character == "*":
            yield _Set(_not_a_slash, repeats=True)
        elif character == "?":
            yield _Set(_not_a_slash)
        elif character == "\\":
            yield _Set(_escaped(text[place : place + 1]))
            place += 1
        elif character == "[":
            accepts, place = _bracket(text, place)
            yield _Set(accepts)
        elif character == "]":
            yield _Set("]".__eq__)
        else:
            yield character


def _escaped(character: str) -> Accepts:
    if not character:
        raise ValueError("it ends with a backslash")
    if character in _CLASSES:
        return _one_of(_CLASSES[character])
    if not character.isascii() or character.isalnum():
        raise ValueError(rf"\{character} means nothing in it")
    return character.__eq__


def _bracket(text: str, place: int) -> tuple[Accepts, int]:
    """The set between brackets, whose content begins at a place, and the place behind it."""
    negated = text.startswith("^", place)
    place += negated
    made = ""
    while not (made and text.startswith("]", place)):
        first, place = _bound(text, place)
        last = first
        if text.startswith("-", place):
            last, place = _bound(text, place + 1)
        if last < first:
            raise ValueError(f"the range {first}-{last} is empty")
        made += f"{re.escape(first)}-{re.escape(last)}"
    return _one_of(f"[{'^' * negated}{made}]"), place + 1


def _bound(text: str, place: int) -> tuple[str, int]:
    """One character of a set, and the place behind it."""
    character = text[place : place + 1]
    escaped = character == "\\"
    if escaped:
        place += 1
        character = text[place : place + 1]
    place += 1
    if not text[place:]:
        raise ValueError("it has a [ without a ]")
    if "\udc80" <= character <= "\udcff":
        raise ValueError("a set in brackets can't have a byte that is no UTF-8")
    if not escaped and character in "-]":
        raise ValueError(f"a set in brackets can't have {character} there")
    if (escaped and (character.isalnum() or not character.isascii())) or (not escaped and character in "*?["):
        # The library turns them into an expression that is either malformed or another one than it seems.
        raise ValueError(f"{character} inside of brackets means something else to Docker than it seems")
    return character, place


def _one_of(expression: str) -> Accepts:
    matches = re.compile(expression, re.DOTALL).fullmatch
    return lambda character: matches(character) is not None


def _not_a_slash(character: str) -> bool:
    return character != "/"


def _not_a_newline(character: str) -> bool:
    return character != "\n"


def _crosses(token: str | _Set) -> bool:
    """Whether a token can take a slash, or depends on where the path begins."""
    return token in {"/", "**", "^"} if isinstance(token, str) else token.accepts("/")
