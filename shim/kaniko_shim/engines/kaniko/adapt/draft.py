"""The Dockerfile on its way from the user's to the executor's: instructions, each at its line of the user's file.

It is parsed once. Each pass says what takes the place of which instruction, and the text is written at the end.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.parse import escape_of, parse_dockerfile, parse_lines

_LINE = re.compile(r"(\bline )(\d+)")
# BuildKit's parser, which the executor contains, reads no line of more than 65,535 bytes.
_LONGEST_LINE = 16_000


@dataclass(frozen=True, slots=True)
class Edit:
    """What takes the place of an instruction, or is put before it.

    Attributes:
        instruction: the one that is meant: this object, not one like it.
        text: instructions, one per line; empty for none.
        before: whether it is put before the instruction, which stays.
    """

    instruction: Instruction
    text: str
    before: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A Dockerfile that is being adapted.

    Attributes:
        instructions: in order, each at the line that it came from.
        escape: the escape character.
    """

    instructions: tuple[Instruction, ...]
    escape: str = "\\"

    @classmethod
    def of(cls, content: bytes) -> "Draft":
        """A user's Dockerfile."""
        return cls(parse_dockerfile(content), escape_of(content))

    def then(self, edits: Iterable[Edit]) -> "Draft":
        """The same with edits.

        Raises:
            RuntimeError: one is of an instruction that is not in the draft: it would be lost.
        """
        before, instead = defaultdict[int, list[str]](list), dict[int, str]()
        for edit in edits:
            if edit.before:
                before[id(edit.instruction)].append(edit.text)
            else:
                instead[id(edit.instruction)] = edit.text
        if not before.keys() | instead.keys() <= set(map(id, self.instructions)):
            raise RuntimeError("an edit of an instruction that is not in the draft")
        made = list[Instruction]()
        for each in self.instructions:
            for text in before.get(id(each), ()):
                made += self._parsed(text, each.line)
            made += self._parsed(instead[id(each)], each.line) if id(each) in instead else [each]
        return replace(self, instructions=tuple(made))

    def with_last(self, text: str) -> "Draft":
        """The same with one more instruction at the end, at the line of the last one."""
        return replace(self, instructions=(*self.instructions, *self._parsed(text, self.instructions[-1].line)))

    def written(self) -> "Written":
        """Its text."""
        head = [] if self.escape == "\\" else [(f"# escape={self.escape}", 0)]
        lines = [*head, *((line, each.line) for each in self.instructions for line in self._lines(each))]
        return Written("".join(f"{line}\n" for line, _ in lines), tuple(origin for _, origin in lines))

    def _parsed(self, text: str, line: int) -> list[Instruction]:
        return [replace(each, line=line) for each in parse_lines(text.split("\n"), self.escape)]

    def _lines(self, instruction: Instruction) -> Iterator[str]:
        text = f"{instruction.head}{instruction.rest}"
        while len(text) > _LONGEST_LINE:
            # Where the next line does not look like a comment, nor this one like one that ends otherwise.
            end = next(
                (
                    place
                    for place in range(_LONGEST_LINE, len(text))
                    if text[place] != "#" and not text[place].isspace() and text[place - 1] != self.escape
                ),
                len(text),
            )
            if end == len(text):
                break
            yield text[:end] + self.escape
            text = text[end:]
        yield text
        for heredoc in instruction.heredocs:
            yield from f"{heredoc.content}{heredoc.word}".split("\n")


@dataclass(frozen=True, slots=True)
class Written:
    """The text of a draft.

    Attributes:
        text: bytes that are no UTF-8 are surrogates.
        origins: for each of its lines, the line of the user's file, counted from 1.
    """

    text: str
    origins: tuple[int, ...]

    @property
    def content(self) -> bytes:
        """All of it, as it is in a file."""
        return self.text.encode("utf-8", "surrogateescape")

    def translate(self, error: str) -> str:
        """An error of the executor, with the line numbers of the user's file."""
        return _LINE.sub(lambda match: f"{match[1]}{self._origin(int(match[2]))}", error)

    def _origin(self, line: int) -> int:
        return self.origins[min(line, len(self.origins)) - 1] if line > 0 else 0


def replaced(instruction: Instruction, text: str) -> Edit:
    """Replace an instruction by `text`."""
    return Edit(instruction, text)


def inserted(instruction: Instruction, text: str) -> Edit:
    """Insert `text` before an instruction."""
    return Edit(instruction, text, before=True)
