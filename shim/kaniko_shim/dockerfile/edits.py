"""Edits lines of a Dockerfile and keeps track of where each line came from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kaniko_shim.dockerfile.syntax.instruction import Instruction
from kaniko_shim.dockerfile.syntax.parse import split_lines

_LINE = re.compile(r"(\bline )(\d+)")


@dataclass(frozen=True, slots=True)
class Edit:
    """An instruction that replaces another one, or is inserted before it.

    Attributes:
        line: the first line that it concerns, counted from 1.
        last: the last line that it replaces; 0 = none, it is put before `line`.
        text: one line.
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

    def translate(self, error: str) -> str:
        """An error of the executor, with the line numbers of the original."""
        return _LINE.sub(lambda match: f"{match[1]}{self.origin(int(match[2]))}", error)


def replaced(instruction: Instruction, text: str) -> Edit:
    """Replace an instruction by `text`."""
    return Edit(instruction.line, instruction.last, text)


def inserted(instruction: Instruction, text: str) -> Edit:
    """Insert `text` before an instruction."""
    return Edit(instruction.line, 0, text)


def rewrite(content: bytes, edits: Sequence[Edit]) -> Rewritten:
    """Apply edits. Empty lines follow a text that replaces several lines, so that few line numbers change."""
    lines = split_lines(content)
    before = dict[int, list[str]]()
    for edit in edits:
        if edit.last:
            lines[edit.line - 1 : edit.last] = [edit.text, *[""] * (edit.last - edit.line)]
        else:
            before.setdefault(edit.line, []).append(edit.text)
    made = list[tuple[str, int]]()
    for number, line in enumerate(lines, start=1):
        made += [(text, number) for text in before.get(number, ())]
        made.append((line, number))
    return Rewritten("\n".join(text for text, _ in made), tuple(number for _, number in made))
