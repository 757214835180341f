"""An instruction of a Dockerfile."""

from collections.abc import Collection
from dataclasses import dataclass, field

from kaniko_shim.dockerfile.flags import with_flags


@dataclass(frozen=True, slots=True)
class Heredoc:
    """One heredoc of an instruction.

    Attributes:
        word: what ends it, without quotes.
        content: the lines before that, as they stand.
        quoted: whether the word was quoted, so that variables in the content are not expanded.
        chomp: whether tabs at the beginning of lines are dropped (`<<-`).
        closed: whether there is a line that ends it.
    """

    word: str
    content: str
    quoted: bool = False
    chomp: bool = False
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; two that say the same are equal, however they are laid out.

    Bytes that are not UTF-8 are surrogates, except in `text`.

    Attributes:
        keyword: in upper case.
        text: all of it on one line, without comments and with single blanks.
        line: where it begins, counted from 1.
        flags: its `--flag=value` pairs, without quotes and escapes; the value of a flag without `=` is empty.
        heredocs: its heredocs.
        trigger: the instruction behind ONBUILD.
        head: keyword and flags as they stand, with the blanks behind them.
        rest: what follows keyword and flags, with its blanks as they are.
    """

    keyword: str
    text: str
    line: int
    flags: tuple[tuple[str, str], ...] = ()
    heredocs: tuple[Heredoc, ...] = ()
    trigger: "Instruction | None" = None
    head: str = field(default="", compare=False, repr=False)
    rest: str = field(default="", compare=False, repr=False)

    def flag(self, name: str) -> str | None:
        """The value of a flag such as `--from`, or None."""
        return dict(self.flags).get(name)

    def head_without(self, dropped: Collection[str] = ()) -> str:
        """Keyword and flags, without some of these."""
        if not any(name in dropped for name, _ in self.flags):
            return self.head
        return with_flags(self.keyword, tuple(each for each in self.flags if each[0] not in dropped))
