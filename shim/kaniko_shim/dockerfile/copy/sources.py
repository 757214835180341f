"""Finds what the sources of a COPY or ADD name in the build context, by BuildKit's rules."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kaniko_shim.dockerfile.copy.trees.tree import ContextTree, Kind
from kaniko_shim.dockerfile.syntax.stages import place_of


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
        if not pattern.fullmatch(name):
            continue
        path = name if directory == "." else f"{directory}/{name}"
        if len(parts) == 1:
            yield path
        elif tree.kind(path) is Kind.DIRECTORY:
            yield from _matched(path, parts[1:], tree)


def name_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern for one name, by the rules of Go's `filepath.Match`; one that is malformed matches nothing."""
    made = list[str]()
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        match character:
            case "*":
                made.append(".*" if made[-1:] != [".*"] else "")
            case "?":
                made.append(".")
            case "\\":
                made.append(re.escape(pattern[position : position + 1]))
                position += 1
            case "[":
                end, text = _character_class(pattern, position)
                if not end:
                    return re.compile(r"(?!)")
                made.append(text)
                position = end
            case _:
                made.append(re.escape(character))
    return re.compile("".join(made), re.DOTALL)


def _character_class(pattern: str, position: int) -> tuple[int, str]:
    """Where a class ends and what it is as a regular expression; 0 if it is malformed."""
    match = re.compile(r"(\^?)((?:(?:\\.|[^\\\]-])(?:-(?:\\.|[^\\\]-]))?)+)\]", re.DOTALL).match(pattern, position)
    if match is None:
        return 0, ""
    ranges = re.findall(r"(\\.|[^\\])(?:-(\\.|[^\\]))?", match[2], re.DOTALL)
    parts = list[str]()
    for low, high in ranges:
        first, last = low[-1], (high or low)[-1]
        if first <= last:
            parts.append(f"{re.escape(first)}-{re.escape(last)}")
    if not parts:
        return match.end(), "." if match[1] else "(?!)"
    return match.end(), f"[{match[1]}{''.join(parts)}]"


def _item(named: str, tree: ContextTree) -> Item:
    path = tree.resolve(named)
    kind = None if path is None else tree.kind(path)
    if path is None or kind is None:
        raise LookupError(named)
    return Item(path, named.rpartition("/")[2], kind, named)
