"""Enough of a reader of Dockerfiles to name a line, and to refuse what would be silently ignored."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kaniko_shim.errors import Failure, JobError
from kaniko_shim.reasons import Reason

LARGEST = 4 * 1024 * 1024
"""Bytes; a longer file is no Dockerfile."""

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
# A word of its own, as BuildKit has it: neither <<< nor a shift inside of $(( )) is one.
_HEREDOC = re.compile(r"\d*<<(-?)([^<]+)")
_WORD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|["'\\])+""")
_HEREDOC_KEYWORDS = frozenset({"RUN", "COPY", "ADD", "ONBUILD"})
_FLAG = re.compile(r"\s*(--[a-z]+(?:-[a-z]+)*)(?:=(\S*))?")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        keyword: in upper case.
        text: all of it on one line, without comments and with single blanks.
        line: where it begins, counted from 1.
        flags: its `--flag=value` pairs.
        heredocs: whether each heredoc's word is quoted.
    """

    keyword: str
    text: str
    line: int
    flags: tuple[tuple[str, str], ...] = ()
    heredocs: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Support:
    """What an executor does with newer syntax."""

    heredocs: bool = False
    mounts: bool = False


def parse_dockerfile(content: bytes) -> tuple[Instruction, ...]:
    """The instructions of a Dockerfile, which need not be a valid one."""
    lines = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").splitlines()
    escape = _escape(lines)
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
        quoted = tuple[bool, ...]()
        for chomp, word in _heredocs(text) if keyword in _HEREDOC_KEYWORDS else ():
            plain = re.sub("[\"']", "", word)
            number = _skip_heredoc(lines, number, plain, chomp=chomp)
            quoted += (plain != word,)
        instructions.append(Instruction(keyword, " ".join(text.split()), first, _flags(text), quoted))
    return tuple(instructions)


def refuse_ignored(instructions: tuple[Instruction, ...], support: Support, name: str) -> None:
    """Refuse what this executor would leave out without a word.

    Raises:
        JobError: DockerfileUnsupported, naming the file and the line.
    """
    for instruction in instructions:
        problem = _ignored(instruction, support)
        if problem:
            raise JobError.of(
                Failure(
                    Reason.DOCKERFILE_UNSUPPORTED,
                    f"{name} line {instruction.line}: {problem}.",
                    instruction=instruction.text,
                    line=instruction.line,
                    hint=_advice(instruction),
                )
            )


def find_line(instructions: tuple[Instruction, ...], text: str, occurrence: int = 1) -> int:
    """The line where an instruction's n-th occurrence begins, or 0."""
    wanted = " ".join(text.split())
    lines = [instruction.line for instruction in instructions if instruction.text == wanted]
    if not lines:
        return 0
    return lines[min(occurrence, len(lines)) - 1]


def find_copy(instructions: tuple[Instruction, ...], path: str) -> Instruction | None:
    """The instruction that copies a file of the context."""
    for instruction in instructions:
        words = re.split(r'[\s"\[\],]+', instruction.text)
        if instruction.keyword in {"COPY", "ADD"} and path.rstrip("/") in (_plain_path(word) for word in words):
            return instruction
    return None


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


def _escape(lines: list[str]) -> str:
    for line in lines:
        directive = _DIRECTIVE.fullmatch(line.strip())
        if directive is None:
            break
        if directive[1].lower() == "escape" and directive[2] in {"\\", "`"}:
            return directive[2]
    return "\\"


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


def _heredocs(text: str) -> Iterator[tuple[bool, str]]:
    """Whether each heredoc's lines may be indented by tabs, and its word with its quotes."""
    for word in _WORD.findall(text) if "<<" in text else ():
        if match := _HEREDOC.fullmatch(word):
            yield bool(match[1]), match[2]


def _skip_heredoc(lines: list[str], number: int, word: str, *, chomp: bool) -> int:
    while number < len(lines):
        line = lines[number]
        number += 1
        if (line.lstrip("\t") if chomp else line) == word:
            break
    return number


def _flags(text: str) -> tuple[tuple[str, str], ...]:
    flags = list[tuple[str, str]]()
    position = len(text.split(maxsplit=1)[0])
    while match := _FLAG.match(text, position):
        flags.append((match[1], match[2] or ""))
        position = match.end()
    return tuple(flags)


def _ignored(instruction: Instruction, support: Support) -> str:
    names = {name for name, _ in instruction.flags}
    if instruction.keyword in {"RUN", "ONBUILD"} and instruction.heredocs:
        if not support.heredocs:
            return "this executor does not run heredocs (RUN <<EOF); it would skip the step silently"
        if any(instruction.heredocs):
            return "this executor skips a heredoc with a quoted word (RUN <<'EOF') silently"
    if instruction.keyword in {"COPY", "ADD"} and instruction.heredocs and not support.heredocs:
        return f"this executor does not know heredocs ({instruction.keyword} <<EOF)"
    if instruction.keyword == "RUN" and "--mount" in names and not support.mounts:
        return "this executor ignores RUN --mount silently"
    if instruction.keyword == "ADD" and "--checksum" in names:
        return "this executor does not verify ADD --checksum"
    return ""


def _advice(instruction: Instruction) -> str:
    if instruction.heredocs and instruction.keyword in {"RUN", "ONBUILD"}:
        return "Join the commands with && in one RUN, or COPY a script and run it."
    if instruction.heredocs:
        return "Put the file into the context and COPY it."
    if instruction.keyword == "ADD":
        return "Download the file in a RUN and check it there with sha256sum -c."
    return "Leave --mount out: COPY what a bind mount shows, and give secrets as build arguments."
