"""The rules of a `.dockerignore`, and what they say about a path."""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from imagebuild_dockerignore.errors import IgnoreFileError
from imagebuild_dockerignore.glob import Glob, compile_glob

# Blanks as Go counts them: those of `unicode.IsSpace`, which are not Python's.
_SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_LONGEST_LINE = 64 * 1024
_LONGEST_SHOWN = 100
_SPECIAL = frozenset("*[]?^\\")

Hits = tuple[bool, ...]
"""For each rule, whether it matches a path or a directory above it; empty for the context itself."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line.

    Attributes:
        line: its number, counted from 1.
        text: the line, trimmed.
        keeps: whether it takes paths out again (`!`).
        glob: its pattern.
    """

    line: int
    text: str
    keeps: bool
    glob: Glob

    @property
    def stem(self) -> str:
        """The pattern without a last `/*` or `/**`."""
        return self.glob.text.removesuffix("/**").removesuffix("/*")


@dataclass(frozen=True)
class IgnoreRules:
    """The rules of one file; the last one that matches a path decides.

    Attributes:
        name: the file's name, for messages.
        rules: in order.
    """

    name: str = ".dockerignore"
    rules: tuple[Rule, ...] = ()

    def judge(self, path: str, above: Hits = ()) -> tuple[Rule | None, Hits]:
        """The rule that ignores a path, if one does, and what is needed to judge the paths below it.

        Args:
            path: relative to the context.
            above: what was returned for the directory that holds it.
        """
        found: Rule | None = None
        hits = list[bool]()
        for place, rule in enumerate(self.rules):
            hit = bool(above) and above[place]
            # As in Docker, a rule that can't change the verdict isn't tried, and doesn't count below the path either.
            if not hit and rule.keeps == (found is not None):
                hit = rule.glob.matches(path)
            hits.append(hit)
            if hit:
                found = None if rule.keeps else rule
        return found, tuple(hits)

    def ignoring(self, path: str) -> Rule | None:
        """The rule that ignores a path relative to the context, if one does."""
        hits: Hits = ()
        found: Rule | None = None
        names = path.split("/")
        for depth in range(1, len(names) + 1):
            found, hits = self.judge("/".join(names[:depth]), hits)
        return found

    def may_keep_below(self, directory: str) -> bool:
        """Whether an ignored directory may hold something that is not ignored."""
        if self._any_place:
            return True
        return any(f"{rule.stem}/".startswith(f"{directory}/") for rule in self.rules if rule.keeps)

    @cached_property
    def _any_place(self) -> bool:
        return any(rule.keeps and _SPECIAL.intersection(rule.stem) for rule in self.rules)


def parse_rules(content: bytes, name: str) -> IgnoreRules:
    """Read a file.

    Raises:
        IgnoreFileError: a line is malformed.
    """
    lines = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n")
    return IgnoreRules(name, tuple(_rules(["" if line.startswith("#") else line for line in lines], name)))


def pattern_rules(patterns: Sequence[str], name: str) -> IgnoreRules:
    """Rules of patterns that are in no file: none of them is a comment.

    Raises:
        IgnoreFileError: a pattern is malformed.
    """
    return IgnoreRules(name, tuple(_rules(patterns, name)))


def _rules(lines: Sequence[str], name: str) -> Iterator[Rule]:
    for number, line in enumerate(lines, start=1):
        if len(line) >= _LONGEST_LINE:
            raise IgnoreFileError(f"{name} line {number} is longer than {_LONGEST_LINE} characters.")
        trimmed = line.strip(_SPACES)
        if not trimmed:
            continue
        keeps = trimmed.startswith("!")
        pattern = trimmed.removeprefix("!").strip(_SPACES)
        try:
            compiled = _compiled(pattern, keeps=keeps)
        except ValueError as error:
            shown = trimmed if len(trimmed) <= _LONGEST_SHOWN else f"{trimmed[:_LONGEST_SHOWN]}…"
            raise IgnoreFileError(
                f"{name} line {number}: the pattern {shown!r} is malformed: {error}.",
                "Correct the pattern; a \\ before one of * ? [ ] \\ takes it literally.",
            ) from error
        if compiled is not None:
            yield Rule(number, trimmed, *compiled)


def _compiled(pattern: str, *, keeps: bool) -> tuple[bool, Glob] | None:
    """Whether a pattern keeps paths, and the pattern itself; None if nothing is left of it."""
    if pattern:
        pattern = _clean(pattern)
        pattern = pattern[1:] if len(pattern) > 1 and pattern.startswith("/") else pattern
    # The library trims and cleans a second time, together with the !.
    trimmed = f"{'!' * keeps}{pattern}".strip(_SPACES)
    if not trimmed:
        return None
    whole = _clean(trimmed)
    if whole.startswith("!"):
        if whole == "!":
            raise ValueError("nothing follows the !")
        return True, compile_glob(whole[1:])
    return False, compile_glob(whole)


def _clean(path: str) -> str:
    """A path as Go cleans it: Python keeps two leading slashes."""
    cleaned = posixpath.normpath(path)
    return f"/{cleaned.lstrip('/')}" if cleaned.startswith("/") else cleaned
