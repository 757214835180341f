"""Reads a Dockerfile into instructions."""

import re
from collections.abc import Iterator

from kaniko_shim.dockerfile.syntax.instruction import Heredoc, Instruction

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
# A word of its own, as BuildKit has it: neither <<< nor a shift inside of $(( )) is one.
HEREDOC = re.compile(r"\d*<<(-?)([^<]+)")
WORD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|["'\\])+""")
_HEREDOC_KEYWORDS = frozenset({"RUN", "COPY", "ADD", "ONBUILD"})
_FLAG = re.compile(r"\s*(--[a-z]+(?:-[a-z]+)*)(?:=(\S*))?")


def parse_dockerfile(content: bytes) -> tuple[Instruction, ...]:
    """The instructions of a Dockerfile, which need not be a valid one."""
    raw = split_lines(content)
    lines = [line.rstrip("\r") for line in raw]
    escape = "`" if directive(content, "escape") == "`" else "\\"
    instructions = list[Instruction]()
    number = 0
    while number < len(lines):
        if not lines[number].strip() or lines[number].lstrip().startswith("#"):
            number += 1
            continue
        first = number + 1
        text, number = _logical_line(lines, number, escape)
        if not text:
            continue
        keyword = text.split(maxsplit=1)[0].upper()
        heredocs = list[Heredoc]()
        for chomp, word in heredoc_words(text) if keyword in _HEREDOC_KEYWORDS else ():
            plain = re.sub("[\"']", "", word)
            begin = number
            number = _skip_heredoc(lines, number, plain, chomp=chomp)
            closed = number > begin and _ends(lines[number - 1], plain, chomp=chomp)
            body = "".join(line + "\n" for line in raw[begin : number - closed])
            heredocs.append(Heredoc(plain, body, plain != word, chomp, closed))
        flags, rest = _flags(text)
        one_line = " ".join(text.split())
        instructions.append(Instruction(keyword, one_line, first, flags, tuple(heredocs), rest, number))
    return tuple(instructions)


def split_lines(content: bytes, errors: str = "replace") -> list[str]:
    """A Dockerfile's lines: without a byte order mark and line feeds, but with carriage returns."""
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors).split("\n")


def directive(content: bytes, name: str) -> str:
    """The value of a directive such as `# syntax=…` at a Dockerfile's head, or empty."""
    for line in split_lines(content):
        match = _DIRECTIVE.fullmatch(line.strip())
        if match is None:
            break
        if match[1].lower() == name:
            return match[2]
    return ""


def _logical_line(lines: list[str], number: int, escape: str) -> tuple[str, int]:
    continued = re.compile(re.escape(escape) + r"[ \t]*$")
    parts = list[str]()
    while number < len(lines):
        line = lines[number]
        number += 1
        if line.lstrip().startswith("#") or (parts and not line.strip()):
            continue
        if not continued.search(line):
            parts.append(line)
            break
        parts.append(continued.sub("", line))
    return "".join(parts).strip(), number


def heredoc_words(text: str) -> Iterator[tuple[bool, str]]:
    """Whether each heredoc's lines may be indented by tabs, and its word with its quotes."""
    for word in WORD.findall(text) if "<<" in text else ():
        if match := HEREDOC.fullmatch(word):
            yield bool(match[1]), match[2]


def _skip_heredoc(lines: list[str], number: int, word: str, *, chomp: bool) -> int:
    while number < len(lines):
        line = lines[number]
        number += 1
        if _ends(line, word, chomp=chomp):
            break
    return number


def _ends(line: str, word: str, *, chomp: bool) -> bool:
    return (line.lstrip("\t") if chomp else line) == word


def _flags(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    flags = list[tuple[str, str]]()
    position = len(text.split(maxsplit=1)[0])
    while match := _FLAG.match(text, position):
        flags.append((match[1], match[2] or ""))
        position = match.end()
    return tuple(flags), text[position:].strip()
