"""The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/replacement}`, as BuildKit matches them."""

from collections.abc import Mapping, Sequence

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
    while found := _first(value, position, tokens):
        begin, end = found
        if begin == end == after:
            # An empty match behind another match does not count.
            position = begin + 1
            continue
        made += [value[copied:begin], replacement]
        copied = after = end
        position = end if end > begin else end + 1
        if not every:
            break
    return "".join(made) + value[copied:]


def _first(value: str, position: int, tokens: Sequence[tuple[str, bool]]) -> tuple[int, int] | None:
    """The first match from a position on, the longest one that begins there.

    All ways from all beginnings are followed at once: of those that are at the same token, only the one that began
    first can count.
    """
    found: tuple[int, int] | None = None
    begins: dict[int, int] = {}
    for place in range(position, len(value) + 1):
        if found is None:
            begins.setdefault(0, place)
        for at in range(len(tokens)):
            # What a * takes may be nothing.
            if at in begins and tokens[at] == (_ANY, True):
                begins[at + 1] = min(begins[at], begins.get(at + 1, place))
        begin = begins.pop(len(tokens), None)
        if begin is not None and (found is None or begin <= found[0]):
            found = begin, place
            begins = {at: began for at, began in begins.items() if began <= begin}
        if place == len(value) or (found and not begins):
            break
        begins = _taken(value[place], begins, tokens)
    return found


def _taken(character: str, begins: Mapping[int, int], tokens: Sequence[tuple[str, bool]]) -> dict[int, int]:
    """Which tokens the ways are at after another character, and where the first of each began."""
    after: dict[int, int] = {}
    for at, began in begins.items():
        token, wildcard = tokens[at]
        if character == "\n" if wildcard else character != token:
            continue
        following = at if wildcard and token == _ANY else at + 1
        after[following] = min(began, after.get(following, began))
    return after


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
