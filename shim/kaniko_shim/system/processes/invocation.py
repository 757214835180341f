"""A command to run: a program, its arguments and its environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command to run.

    Attributes:
        argv: the program and its arguments.
        environment: all of its variables.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
