"""What there is to say about one environment variable."""

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
        meaning: Markdown for the documentation; its first sentence stands in `--help`.
        parse: reads a value; raises ValueError with what to write instead. Reads the default too.
        default: used if the variable is unset or blank.
        default_note: what stands in the documentation in place of an empty default.
        commands: the sub-commands that read it.
        secret: never printed, and not accepted as a flag.
        shown: whether a malformed value is quoted in the message about it.
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
        """The command line's name for it."""
        return "--" + self.name.lower().replace("_", "-")
