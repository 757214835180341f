"""Edits lines of a Dockerfile and keeps track of where each line came from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.parse import parse_dockerfile, split_lines

_LINE = re.compile(r"(\bline )(\d+)")


@dataclass(frozen=True, slots=True)
class Edit:
    """An instruction that replaces another one, or is inserted before it.

    Attributes:
        line: the first line that it concerns, counted from 1.
        last: the last line that it replaces; 0 = none, it is put before `line`.
        text: one line or more; all of them belong to `line`.
    """

    line: int
    last: int
    text: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A changed Dockerfile.

    Attributes:
        text: all of it; bytes that are no UTF-8 are surrogates.
        origins: for each of its lines, the line of the original, counted from 1.
    """

    text: str
    origins: tuple[int, ...]

    def origin(self, line: int) -> int:
        """The line of the original that a line came from; 0 stays 0."""
        return self.origins[min(line, len(self.origins)) - 1] if line > 0 else 0

    @property
    def content(self) -> bytes:
        """All of it, as it is in a file."""
        return self.text.encode("utf-8", "surrogateescape")

    def instructions(self) -> tuple[Instruction, ...]:
        """Its instructions, with its own line numbers."""
        return parse_dockerfile(self.content)

    def original(self, instruction: Instruction) -> Instruction:
        """One of its instructions, with the line number of the original."""
        return replace(instruction, line=self.origin(instruction.line))

    def then(self, edits: Sequence[Edit]) -> "Rewritten":
        """The same with further edits."""
        if not edits:
            return self
        made = rewrite(self.content, edits)
        return Rewritten(made.text, tuple(self.origin(line) for line in made.origins))

    def with_last(self, text: str) -> "Rewritten":
        """The same with one more instruction at the end, at the line of the last one."""
        instructions = self.instructions()
        line = self.origin(instructions[-1].line) if instructions else 1
        longer = Rewritten(f"{self.text}\n{text}\n", (*self.origins, line, line))
        if not instructions or len(longer.instructions()) > len(instructions):
            return longer
        # The last one ends with an escape character, which Docker forgives, and would go on in `text`.
        last = instructions[-1]
        return self.then([replaced(last, last.head + last.rest)]).with_last(text)

    def translate(self, error: str) -> str:
        """An error of the executor, with the line numbers of the original."""
        return _LINE.sub(lambda match: f"{match[1]}{self.origin(int(match[2]))}", error)


def replaced(instruction: Instruction, text: str) -> Edit:
    """Replace an instruction by `text`."""
    return Edit(instruction.line, instruction.last, text)


def inserted(instruction: Instruction, text: str) -> Edit:
    """Insert `text` before an instruction."""
    return Edit(instruction.line, 0, text)


def unchanged(content: bytes) -> Rewritten:
    """A Dockerfile before any change."""
    lines = split_lines(content)
    return Rewritten("\n".join(lines), tuple(range(1, len(lines) + 1)))


def rewrite(content: bytes, edits: Sequence[Edit]) -> Rewritten:
    """Apply edits. Empty lines follow a text that replaces more lines than it has, so that few line numbers change."""
    lines = split_lines(content)
    texts: dict[int, list[str]] = {number: [line] for number, line in enumerate(lines, start=1)}
    before = dict[int, list[str]]()
    for edit in edits:
        parts = edit.text.split("\n")
        if not edit.last:
            before.setdefault(edit.line, []).extend(parts)
            continue
        spare = max(0, edit.last - edit.line + 1 - len(parts))
        for number in range(edit.line, edit.last + 1):
            texts[number] = []
        texts[edit.line] = parts + [""] * spare
    made = list[tuple[str, int]]()
    for number, own in texts.items():
        made += [(text, number) for text in (*before.get(number, ()), *own)]
    return Rewritten("\n".join(text for text, _ in made), tuple(number for _, number in made))
