"""Parses a Dockerfile exactly as BuildKit does, whose parser the executor contains.

A file that BuildKit refuses is read as far as possible; the executor then reports what is wrong.
"""

import re

from kaniko_shim.dockerfile.flags import split_command
from kaniko_shim.dockerfile.instruction import Heredoc, Instruction
from kaniko_shim.dockerfile.shell_words import split_quoted_words, split_words
from kaniko_shim.dockerfile.words import json_words
from kaniko_shim.system.spaces import SPACES

_DIRECTIVE = re.compile(r"#[\t\n\f\r ]*([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*")
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
_HEREDOC = re.compile(r"[0-9]*<<(-?)[\t\n\f\r ]*([^<]+)")
_HAVE_HEREDOCS = frozenset({"RUN", "COPY", "ADD"})


def parse_dockerfile(content: bytes) -> tuple[Instruction, ...]:
    """The instructions of a Dockerfile, which need not be a valid one."""
    return parse_lines(split_lines(content), escape_of(content))


def escape_of(content: bytes) -> str:
    """The escape character of a Dockerfile."""
    return "`" if directives(content).get("escape") == "`" else "\\"


def parse_lines(lines: list[str], escape: str) -> tuple[Instruction, ...]:
    """The instructions in lines of a Dockerfile."""
    if not lines[-1]:
        lines = lines[:-1]
    continued = re.compile(rf"(?:(?<=[^{re.escape(escape)}])|\A){re.escape(escape)}[ \t]*\Z")
    instructions = list[Instruction]()
    number = 0
    while number < len(lines):
        first = number + 1
        text, number = _logical_line(lines, number, continued)
        if text is None:
            continue
        keyword, flags, head, rest = split_command(text, escape)
        trigger = _trigger(rest, first, escape) if keyword == "ONBUILD" and rest else None
        heredocs = list[Heredoc]()
        for chomp, word, quoted in _heredoc_words(text) if _can_have_heredocs(keyword, rest, trigger) else ():
            begin = number
            number, closed = _skip_heredoc(lines, number, word, chomp=chomp)
            body = "".join(line + "\n" for line in lines[begin : number - closed])
            heredocs.append(Heredoc(word, body, quoted, chomp, closed))
        made = Instruction(keyword, _one_line(text), first, flags, tuple(heredocs), trigger, head=head, rest=rest)
        instructions.append(made)
    return tuple(instructions)


def split_lines(content: bytes) -> list[str]:
    """A Dockerfile's lines: without a byte order mark and line feeds, but with carriage returns.

    Bytes that are not UTF-8 become surrogates.
    """
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n")


def directives(content: bytes) -> dict[str, str]:
    """The directives at a Dockerfile's head, such as `# syntax=…`, by name in lower case."""
    found = dict[str, str]()
    for line in split_lines(content):
        match = _DIRECTIVE.fullmatch(line.rstrip("\r").lstrip(SPACES))
        if match is None or match[1].lower() not in _DIRECTIVES:
            break
        found.setdefault(match[1].lower(), match[2])
    return found


def frontend_directive(content: bytes, name: str) -> tuple[str, int]:
    """The value of a directive that Docker's client reads, not the Dockerfile's parser, and its line; empty and 0.

    A first line that begins with `#!` may stand before it, as in BuildKit's `ParseDirective`.
    """
    lines = content.split(b"\n")
    skipped = int(lines[0].removeprefix(b"\xef\xbb\xbf").startswith(b"#!"))
    for number, line in enumerate(lines[skipped:], start=1 + skipped):
        found = directives(line)
        if not found:
            break
        if name in found:
            return found[name], number
    return "", 0


def parse_heredoc(word: str) -> tuple[bool, str, bool] | None:
    """A word that begins a heredoc: whether it is `<<-`, what ends it, and whether that was quoted."""
    match = _HEREDOC.fullmatch(word)
    if match is None:
        return None
    try:
        words, quoted_words = split_words(match[2]), split_quoted_words(match[2])
    except ValueError:
        return None
    if len(words) != 1 or len(quoted_words) != 1:
        return None
    return bool(match[1]), words[0], _quotes(words[0]) != _quotes(quoted_words[0])


def _logical_line(lines: list[str], number: int, continued: re.Pattern[str]) -> tuple[str | None, int]:
    """An instruction without its heredocs, or None for an empty line or a comment; and the number of lines read."""
    parts = list[str]()
    while number < len(lines):
        line = lines[number].rstrip("\r")
        number += 1
        bare = line.lstrip(SPACES)
        if bare.startswith("#") or not bare:
            if parts:
                continue
            return None, number
        part = line if parts else bare
        match = continued.search(part)
        parts.append(part[: match.start()] if match else part)
        if match is None:
            break
    return "".join(parts), number


def _trigger(text: str, line: int, escape: str) -> Instruction:
    keyword, flags, head, rest = split_command(text, escape)
    return Instruction(keyword, _one_line(text), line, flags, head=head, rest=rest)


def _can_have_heredocs(keyword: str, rest: str, trigger: Instruction | None) -> bool:
    if trigger:
        keyword, rest = trigger.keyword, trigger.rest
    return keyword in _HAVE_HEREDOCS and json_words(rest) is None


def _heredoc_words(text: str) -> list[tuple[bool, str, bool]]:
    if "<<" not in text:
        return []
    try:
        words = split_words(text, raw=True)
    except ValueError:
        return []
    return [found for word in words if (found := parse_heredoc(word))]


def _skip_heredoc(lines: list[str], number: int, word: str, *, chomp: bool) -> tuple[int, bool]:
    """The number of lines that end with a heredoc, and whether it ends."""
    while number < len(lines):
        line = lines[number].rstrip("\r")
        number += 1
        if (line.lstrip("\t") if chomp else line) == word:
            return number, True
    return number, False


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')


def _one_line(text: str) -> str:
    return " ".join(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())
