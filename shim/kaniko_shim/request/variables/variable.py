"""An environment variable: name, meaning, parser and default."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kaniko_shim.system.subcommand import Command

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Variable(Generic[T_co]):
    """One environment variable.

    Attributes:
        name: its name; the flag of the same meaning is `--name-in-lower-case`.
        meaning: Markdown for the documentation; `--help` shows its first sentence.
        parse: parses a value or the default; raises ValueError with what to write instead.
        default: used if the variable is unset or blank.
        default_note: shown in the documentation instead of an empty default.
        commands: the sub-commands that read it.
        secret: never printed, and not accepted as a flag.
        shown: whether an error message quotes a malformed value.
    """

    name: str
    meaning: str
    parse: Callable[[str], T_co]
    default: str = ""
    default_note: str = ""
    commands: tuple[Command, ...] = (Command.ALL, Command.BUILD)
    secret: bool = False
    shown: bool = True

    @property
    def flag(self) -> str:
        """The flag of the command line."""
        return "--" + self.name.lower().replace("_", "-")
