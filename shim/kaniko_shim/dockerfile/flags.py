"""Splits an instruction into keyword, flags and the rest, as BuildKit does."""

import re

from kaniko_shim.dockerfile.spaces import BLANKS
from kaniko_shim.system.spaces import SPACES

Flags = tuple[tuple[str, str], ...]

_QUOTED = re.compile(r"[\s\"'\\`]")
_BYTE_SPACES = "\t\n\v\f\r \x85\xa0"


def split_command(text: str, escape: str) -> tuple[str, Flags, str, str]:
    """Keyword in upper case, flags, what stands before the rest (keyword and flags as written), and the rest.

    Args:
        text: an instruction on one line.
        escape: the escape character.
    """
    text = text.strip(SPACES)
    blank = BLANKS.search(text)
    if blank is None:
        return text.upper(), (), text, ""
    arguments = text[blank.end() :].encode("utf-8", "surrogateescape")
    words, begin = _flag_words(arguments, escape)
    rest = arguments[begin:].decode("utf-8", "surrogateescape").strip(SPACES)
    head = text[: blank.end()] + arguments[:begin].decode("utf-8", "surrogateescape")
    pairs = (word.partition("=") for word in words)
    return text[: blank.start()].upper(), tuple((name, value) for name, _, value in pairs), head, rest


def _flag_words(arguments: bytes, escape: str) -> tuple[list[str], int]:
    """The flags without quotes and escapes, and where the rest begins.

    BuildKit goes from byte to byte here and takes each for a character: so does this.
    """
    text = arguments.decode("latin-1")
    flags = list[str]()
    position = 0
    while True:
        while text[position : position + 1] and text[position] in _BYTE_SPACES:
            position += 1
        if not text.startswith("--", position):
            return flags, position
        word, quoted, position = _flag_word(text, position, escape)
        if word == "--":
            return flags, position
        if word or quoted:
            flags.append(word)


def _flag_word(text: str, position: int, escape: str) -> tuple[str, bool, int]:
    """A word, whether a part of it was in quotes, and where it ends."""
    word = list[str]()
    quote, quoted = "", False
    while position < len(text) and (quote or text[position] not in _BYTE_SPACES):
        character = text[position]
        position += 1
        if character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote, quoted = character, True
        elif character != escape:
            word.append(character)
        elif position < len(text):
            word.append(text[position])
            position += 1
    return "".join(word), quoted, position


def with_flags(keyword: str, flags: Flags) -> str:
    """A keyword and flags as they are written."""
    return " ".join([keyword, *(_flag(name, value) for name, value in flags)]) + " "


def _flag(name: str, value: str) -> str:
    if not value:
        return name
    return f"{name}={value}" if not _QUOTED.search(value) else f"{name}='{value}'"
