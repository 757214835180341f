"""Finds what the sources of a COPY or ADD name in the build context, by BuildKit's rules."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from imagebuild_dockerignore.automaton import Accepts, Automaton, Step

from kaniko_shim.dockerfile.stages import place_of
from kaniko_shim.engines.kaniko.adapt.copy.trees.tree import ContextTree, Kind


@dataclass(frozen=True, slots=True)
class Item:
    """One file or directory that a source names.

    Attributes:
        path: where it is, links resolved.
        name: what it is called in a destination that is a directory.
        kind: what it is.
        named: the path by which it was found.
    """

    path: str
    name: str
    kind: Kind
    named: str


def find_items(source: str, tree: ContextTree) -> list[Item]:
    """What a source names; links are followed, also those that a pattern matches.

    Args:
        source: with its variables expanded.
        tree: the context.

    Raises:
        LookupError: there is no such file, or a link leads nowhere.
    """
    return [_item(path, tree) for path in (match_paths(source, tree) if has_pattern(source) else [place_of(source)])]


def has_pattern(source: str) -> bool:
    r"""Whether a source has one of `*?[`, not escaped."""
    return bool(re.search(r"[*?\[]", re.sub(r"\\.", "", source)))


def match_paths(source: str, tree: ContextTree) -> Iterator[str]:
    """The paths that a pattern matches, in order. What comes before the pattern may lead over links."""
    parts = place_of(source).split("/")
    first = next(index for index, part in enumerate(parts) if has_pattern(part))
    base = tree.resolve("/".join(parts[:first]) or ".")
    if base is not None and tree.kind(base) is Kind.DIRECTORY:
        yield from _matched(base, parts[first:], tree)


def _matched(directory: str, parts: list[str], tree: ContextTree) -> Iterator[str]:
    pattern = name_pattern(parts[0])
    for name in tree.children(directory):
        if pattern is None or not pattern.matches(name):
            continue
        path = name if directory == "." else f"{directory}/{name}"
        if len(parts) == 1:
            yield path
        elif tree.kind(path) is Kind.DIRECTORY:
            yield from _matched(path, parts[1:], tree)


def name_pattern(pattern: str) -> Automaton | None:
    """A pattern for one name, by the rules of Go's `filepath.Match`; None if it is malformed, and matches nothing."""
    steps = list[Step]()
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        match character:
            case "*":
                steps.append(Step(_any, repeats=True))
            case "?":
                steps.append(Step(_any))
            case "\\":
                steps.append(Step(pattern[position : position + 1].__eq__))
                position += 1
            case "[":
                end, accepts = _character_class(pattern, position)
                if not end:
                    return None
                steps.append(Step(accepts))
                position = end
            case _:
                steps.append(Step(character.__eq__))
    return Automaton(steps)


def _any(_character: str) -> bool:
    return True


def _character_class(pattern: str, position: int) -> tuple[int, Accepts]:
    """Where a class ends and what it accepts; 0 if it is malformed."""
    match = re.compile(r"(\^?)((?:(?:\\.|[^\\\]-])(?:-(?:\\.|[^\\\]-]))?)+)\]", re.DOTALL).match(pattern, position)
    if match is None:
        return 0, _any
    ranges = re.findall(r"(\\.|[^\\])(?:-(\\.|[^\\]))?", match[2], re.DOTALL)
    spans = [(low[-1], (high or low)[-1]) for low, high in ranges]
    negated = bool(match[1])
    return match.end(), lambda character: any(low <= character <= high for low, high in spans) != negated


def _item(named: str, tree: ContextTree) -> Item:
    path = tree.resolve(named)
    kind = None if path is None else tree.kind(path)
    if path is None or kind is None:
        raise LookupError(named)
    return Item(path, named.rpartition("/")[2], kind, named)
