"""The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/replacement}`, as BuildKit matches them."""

from collections.abc import Sequence

_ANY = "*"
_ONE = "?"


def without_prefix(value: str, pattern: str, *, longest: bool) -> str:
    """A value without the part at its beginning that a pattern matches.

    Raises:
        ValueError: the pattern is malformed.
    """
    end = _end(value, 0, _tokens(pattern), longest=longest)
    return value if end is None else value[end:]


def without_suffix(value: str, pattern: str, *, longest: bool) -> str:
    """A value without the part at its end that a pattern matches.

    Raises:
        ValueError: the pattern is malformed.
    """
    end = _end(value[::-1], 0, _tokens(pattern)[::-1], longest=longest)
    return value if end is None else value[: len(value) - end]


def replace_matches(value: str, pattern: str, replacement: str, *, every: bool) -> str:
    """A value with the first match of a pattern replaced, or every match.

    Raises:
        ValueError: the pattern is malformed, or the replacement refers to groups, which patterns do not have.
    """
    tokens = _tokens(pattern)
    if every and "$" in replacement:
        raise ValueError("a replacement has a $")
    made = list[str]()
    position, copied, after = 0, 0, -1
    while position <= len(value):
        end = _end(value, position, tokens, longest=True)
        if end is None or (end == position == after):
            # An empty match behind another match does not count.
            position += 1
            continue
        made += [value[copied:position], replacement]
        copied = after = end
        position = end if end > position else position + 1
        if not every:
            break
    return "".join(made) + value[copied:]


def _tokens(pattern: str) -> list[tuple[str, bool]]:
    """The characters of a pattern, each with whether it is a wildcard."""
    tokens = list[tuple[str, bool]]()
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character != "\\":
            tokens.append((character, character in {_ANY, _ONE}))
            continue
        if pattern[position : position + 1] in {"}", "/"}:
            continue
        escaped = pattern[position : position + 1]
        if escaped not in {_ANY, _ONE, "\\"}:
            raise ValueError(f"a pattern has an invalid escape: \\{escaped}")
        tokens.append((escaped, False))
        position += 1
    return tokens


def _end(value: str, begin: int, tokens: Sequence[tuple[str, bool]], *, longest: bool) -> int | None:
    """Where a match that begins at a position ends; all ways are followed at once, so this takes no long time."""
    ends = {begin}
    for character, wildcard in tokens:
        if wildcard and character == _ANY:
            ends = _spread(value, ends)
        else:
            ends = {
                end + 1
                for end in ends
                if end < len(value) and (value[end] != "\n" if wildcard else value[end] == character)
            }
        if not ends:
            return None
    return max(ends) if longest else min(ends)


def _spread(value: str, ends: set[int]) -> set[int]:
    """Every position that any number of characters of a line lead to."""
    reached = set[int]()
    for end in sorted(ends):
        position = end
        while position not in reached:
            reached.add(position)
            if position == len(value) or value[position] == "\n":
                break
            position += 1
    return reached
