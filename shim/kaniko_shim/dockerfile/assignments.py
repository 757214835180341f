"""The words of ARG, and the names and values of ENV and LABEL, with their quotes and escapes."""

import re
from collections.abc import Iterator

from kaniko_shim.system.spaces import SPACES

_BLANKS = re.compile(r"[\t\n\v\f\r ]+")


def argument_words(text: str, escape: str = "\\") -> list[str]:
    """The words of ARG: blanks in quotes or behind the escape character do not end one."""
    return list(_words(text, escape))


def names_and_values(text: str, escape: str = "\\") -> list[tuple[str, str]]:
    """The pairs of ENV or LABEL, in either form: `name=value name=value` or `name value`.

    Raises:
        ValueError: a word has no `=`, or there is no value.
    """
    words = argument_words(text, escape)
    if words and "=" not in words[0]:
        name, *value = _BLANKS.split(text, maxsplit=1)
        if not value:
            raise ValueError(f"{name} has no value")
        return [(name, value[0])]
    pairs = [word.partition("=") for word in words]
    if any(not equals or not name for name, equals, _ in pairs):
        raise ValueError("there is a word without a name and =")
    return [(name, value) for name, _, value in pairs]


def _words(text: str, escape: str) -> Iterator[str]:
    word = list[str]()
    quote, quoted = "", False
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if not quote and character in SPACES:
            if word or quoted:
                yield "".join(word)
            word.clear()
            quoted = False
            continue
        if character == escape and quote != "'":
            if position == len(text):
                # An escape character at the end is left out.
                break
            word.append(character)
            character = text[position]
            position += 1
        elif character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote, quoted = character, True
        word.append(character)
    if word or quoted:
        yield "".join(word)
