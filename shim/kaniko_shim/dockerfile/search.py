"""Finds the instruction that the executor's log or an error is about."""

import re

from kaniko_shim.dockerfile.instruction import Instruction

_VARIABLE = re.compile(r"\$(?:\{[^}]*\}|\w+)")


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
    """Whether a word can become a path once its variables are expanded."""
    first, *others = _VARIABLE.split(_plain_path(word))
    if not others:
        return first == path
    *middle, last = others
    if len(first) + len(last) > len(path) or not path.startswith(first) or not path.endswith(last):
        return False
    position = len(first)
    for part in middle:
        found = path.find(part, position, len(path) - len(last))
        if found < 0:
            return False
        position = found + len(part)
    return True


def _plain_path(word: str) -> str:
    return word.removeprefix("./").strip("/")
