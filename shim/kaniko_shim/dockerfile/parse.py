"""Enough of a reader of Dockerfiles to name a line, and to see what an instruction asks for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

LARGEST = 4 * 1024 * 1024
"""Bytes; a longer file is no Dockerfile."""

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
# A word of its own, as BuildKit has it: neither <<< nor a shift inside of $(( )) is one.
HEREDOC = re.compile(r"\d*<<(-?)([^<]+)")
WORD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|["'\\])+""")
_HEREDOC_KEYWORDS = frozenset({"RUN", "COPY", "ADD", "ONBUILD"})
_VARIABLE = re.compile(r"\$(?:\{[^}]*\}|\w+)")
_FLAG = re.compile(r"\s*(--[a-z]+(?:-[a-z]+)*)(?:=(\S*))?")


@dataclass(frozen=True, slots=True)
class Heredoc:
    """One heredoc of an instruction.

    Attributes:
        word: what ends it, without quotes.
        content: the lines before that, as they stand.
        quoted: whether the word was quoted, so that nothing in the content is expanded.
        chomp: whether tabs at the beginning of lines are dropped (`<<-`).
        closed: whether there is such a line.
    """

    word: str
    content: str
    quoted: bool = False
    chomp: bool = False
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; two that say the same are equal, however they are laid out.

    Attributes:
        keyword: in upper case.
        text: all of it on one line, without comments and with single blanks.
        line: where it begins, counted from 1.
        flags: its `--flag=value` pairs.
        heredocs: its heredocs.
        rest: what follows keyword and flags, with its blanks as they are.
        last: the line where it ends, heredocs included.
    """

    keyword: str
    text: str
    line: int
    flags: tuple[tuple[str, str], ...] = ()
    heredocs: tuple[Heredoc, ...] = ()
    rest: str = field(default="", compare=False, repr=False)
    last: int = field(default=0, compare=False, repr=False)

    def flag(self, name: str) -> str | None:
        """The value of a flag such as `--from`, or None."""
        return dict(self.flags).get(name)


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


def find_line(instructions: tuple[Instruction, ...], text: str, occurrence: int = 1) -> int:
    """The line where an instruction's n-th occurrence begins, or 0."""
    wanted = " ".join(text.split())
    lines = [instruction.line for instruction in instructions if instruction.text == wanted]
    if not lines:
        return 0
    return lines[min(occurrence, len(lines)) - 1]


def find_copy(instructions: tuple[Instruction, ...], path: str) -> Instruction | None:
    """The instruction that copies a file of the context.

    Where none names it, it is the only one with a variable that can have stood for it.
    """
    path = path.rstrip("/")
    copies = [
        (instruction, [word for word in re.split(r'[\s"\[\],]+', instruction.text) if word])
        for instruction in instructions
        if instruction.keyword in {"COPY", "ADD"}
    ]
    for instruction, words in copies:
        if path in (_plain_path(word) for word in words):
            return instruction
    possible = [each for each, words in copies if any(_can_be(word, path) for word in words[:-1] if "$" in word)]
    return possible[0] if len(possible) == 1 else None


def _can_be(word: str, path: str) -> bool:
    """Whether a word can become a path when its variables have values."""
    return re.fullmatch(".*".join(map(re.escape, _VARIABLE.split(_plain_path(word)))), path) is not None


def _plain_path(word: str) -> str:
    return word.removeprefix("./").strip("/")


def locate(root: Path, context: Path, path: str) -> Path:
    """The Dockerfile's real path.

    Args:
        root: the fetched tree, which it must lie in.
        context: the context in it, to which `path` is relative.
        path: as the user wrote it.

    Raises:
        JobError: DockerfileNotFound, or InvalidSpec if it lies outside of the tree.
    """
    candidate = context / path
    try:
        real = candidate.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise _not_found(context, path) from error
    if not real.is_relative_to(root.resolve()):
        raise JobError(
            Reason.INVALID_SPEC,
            f"DOCKERFILE_PATH={path!r} lies outside of the context.",
            hint="Write it relative to the context, or give the text in DOCKERFILE_CONTENT.",
        )
    if not real.is_file():
        raise _not_found(context, path)
    return real


def read(path: Path, name: str) -> bytes:
    """A Dockerfile's content.

    Raises:
        JobError: DockerfileInvalid; it is empty or no text at all.
    """
    content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    if not content.strip():
        problem = "is empty" if path.stat().st_size <= LARGEST else f"has more than {LARGEST} bytes"
        raise JobError(Reason.DOCKERFILE_INVALID, f"{name} {problem}.")
    if b"\0" in content:
        raise JobError(Reason.DOCKERFILE_INVALID, f"{name} is no text (it holds NUL bytes; save it as UTF-8).")
    return content


def _not_found(context: Path, path: str) -> JobError:
    there = sorted(item.name for item in context.iterdir())
    shown = ", ".join(there[:8]) + (", …" if len(there) > 8 else "")  # noqa: PLR2004 - enough to see what was fetched
    return JobError(
        Reason.DOCKERFILE_NOT_FOUND,
        f"The context has no file {path!r}; it holds: {shown or 'nothing'}.",
    )


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
