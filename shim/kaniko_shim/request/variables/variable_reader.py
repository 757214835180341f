"""Reads variables from an environment, and collects every problem with them."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from kaniko_shim.request.variables.variable import Variable

T = TypeVar("T")

_LONGEST_QUOTE = 120
_NUMBER = r"_([0-9]{1,9})"


class VariableReader:
    """Reads variables from an environment.

    Attributes:
        environment: the environment variables.
        problems: one text for each variable that cannot be used, filled as variables are read.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.problems = list[str]()

    def read(self, variable: Variable[T]) -> T:
        """The value of a variable; its default if it is unset, blank or malformed."""
        text = self.environment.get(variable.name, "")
        if text.strip():
            try:
                return variable.parse(text)
            except ValueError as error:
                self.refuse(variable, str(error))
        return variable.parse(variable.default)

    def read_all(self, variable: Variable[T]) -> list[T]:
        """The values of NAME, NAME_1, NAME_2, …, in that order."""
        numbered = re.compile(re.escape(variable.name) + _NUMBER)
        numbers = sorted({match[1] for name in self.environment if (match := numbered.fullmatch(name))}, key=int)
        variables = [variable, *(replace(variable, name=f"{variable.name}_{number}") for number in numbers)]
        return [self.read(each) for each in variables]

    def is_set(self, variable: Variable[object]) -> bool:
        """Whether a variable holds more than blanks."""
        return bool(self.environment.get(variable.name, "").strip())

    def refuse(self, variable: Variable[object], problem: str) -> None:
        """Add a problem with a variable, with the variable's value if that may be shown and is short."""
        text = self.environment.get(variable.name, "").strip()
        shown = variable.shown and not variable.secret and len(text) <= _LONGEST_QUOTE
        # Of a list, the problem names the item; of a list with one item, that is the value once more.
        problem = problem.removeprefix(f"{text!r}: ") if shown else problem
        told = f"{variable.name}={text!r}: {problem}" if shown else f"{variable.name}: {problem}"
        # Some variables are read twice.
        if told not in self.problems:
            self.problems.append(told)
