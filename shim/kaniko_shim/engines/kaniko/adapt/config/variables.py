"""The values of variables (ARG and ENV) at each instruction of a stage, as BuildKit computes them."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from kaniko_shim.dockerfile.arguments import declared
from kaniko_shim.dockerfile.assignments import names_and_values
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.shell_words import expand, expand_document
from kaniko_shim.dockerfile.stages import Stage, Stages

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The PATH that Docker sets where the base image sets none."""

_SCRATCH = "scratch"
_LAST = 1 << 62

Environment = Callable[[str], Mapping[str, str] | None]
"""Gives the variables that an image sets; None if they are not known."""


class UnknownVariableError(Exception):
    """The value of a variable is not known."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A value as written, which is expanded with the variables before the place where it stands."""

    text: str
    place: int


@dataclass(slots=True)
class _Scope:
    """The variables of a stage; each one may have several values, one after the other."""

    base: "_Scope | Mapping[str, str] | Callable[[], Mapping[str, str] | None]"
    escape: str
    places: dict[str, list[int]] = field(default_factory=dict)
    values: dict[str, list[_Written | str]] = field(default_factory=dict)
    unknown: dict[tuple[str, int], None] = field(default_factory=dict)

    def put(self, name: str, place: int, value: _Written | str) -> None:
        self.places.setdefault(name, []).append(place)
        self.values.setdefault(name, []).append(value)
        if isinstance(value, _Written):
            index = len(self.values[name]) - 1
            try:
                # In order, so that a chain of a thousand variables never needs a thousand calls.
                self._value(name, index, ask=False)
            except UnknownVariableError:
                self.unknown[name, index] = None

    def get(self, name: str, place: int, *, ask: bool) -> str:
        """The value before a place; a KeyError if there is none."""
        scope = self
        # A loop, since a thousand stages may be based on one another.
        while (index := bisect_left(scope.places.get(name, ()), place) - 1) < 0 and isinstance(scope.base, _Scope):
            scope, place = scope.base, _LAST
        if index >= 0:
            return scope._value(name, index, ask=ask)  # noqa: SLF001 - of the same class
        base = scope.base
        known = base if isinstance(base, Mapping) else base() if ask and not isinstance(base, _Scope) else None
        if known is None:
            raise UnknownVariableError(name)
        return known[name] if name != "PATH" else known.get(name, PATH)

    def _value(self, name: str, index: int, *, ask: bool) -> str:
        value = self.values[name][index]
        if isinstance(value, str):
            return value
        if not ask and (name, index) in self.unknown:
            raise UnknownVariableError(name)
        if ask and self.unknown:
            # They wait for the same base image, whose variables are asked for now.
            earlier, self.unknown = self.unknown, {}
            for each in earlier:
                with suppress(UnknownVariableError):
                    self._value(*each, ask=True)
        try:
            text = expand(value.text, Variables(self, value.place, ask=ask), self.escape)
        except ValueError:
            raise UnknownVariableError(name) from None
        self.values[name][index] = text
        return text


class Variables(Mapping[str, str]):
    """The variables before an instruction; a lookup raises UnknownVariableError where the value is not known."""

    def __init__(self, scope: _Scope, place: int, *, ask: bool) -> None:
        self._scope = scope
        self._place = place
        self._ask = ask

    def __getitem__(self, name: str) -> str:
        """The value of a variable."""
        return self._scope.get(name, self._place, ask=self._ask)

    def __iter__(self) -> Iterator[str]:
        """The names of those that the Dockerfile sets."""
        return iter(self._scope.places)

    def __len__(self) -> int:
        """How many the Dockerfile sets."""
        return len(self._scope.places)


@dataclass(frozen=True, slots=True)
class Place:
    """An instruction, and how words are read there.

    Attributes:
        stage: its stage.
        instruction: the instruction.
    """

    stage: Stage
    instruction: Instruction
    _scope: _Scope = field(repr=False)
    _index: int

    def expanded(self, word: str, *, ask: bool = True) -> str | None:
        """A word with its variables expanded; None if it is malformed, or the value of a variable is not known.

        Args:
            word: the word.
            ask: whether to look up what the base image sets.
        """
        try:
            return expand(word, self.variables(ask=ask), self._scope.escape)
        except (ValueError, UnknownVariableError):
            return None

    def document(self, text: str) -> str | None:
        """The content of a heredoc with its variables expanded; None if it is malformed, or a value is not known."""
        try:
            return expand_document(text, self.variables(), self._scope.escape)
        except (ValueError, UnknownVariableError):
            return None

    def has(self, name: str) -> bool:
        """Whether a variable is set; False if that is not known."""
        try:
            return name in self.variables()
        except UnknownVariableError:
            return False

    def variables(self, *, ask: bool = True) -> Variables:
        """The variables before this instruction."""
        return Variables(self._scope, self._index, ask=ask)


def walk(
    stages: Stages, values: Mapping[str, str], given: Mapping[str, str], environment: Environment, escape: str
) -> Iterator[Place]:
    """Every instruction of every stage.

    Args:
        stages: the Dockerfile's.
        values: those of the variables in FROM, which an ARG without a default takes.
        given: the build arguments' values.
        environment: gives the variables of a base image.
        escape: the Dockerfile's escape character.
    """
    scopes = dict[int, _Scope]()
    for stage in stages.stages:
        base = stages.base(stage)
        scope = _Scope(scopes[base.index] if base else _image(stage.base, environment), escape)
        scopes[stage.index] = scope
        for index, instruction in enumerate(stage.instructions):
            yield Place(stage, instruction, scope, index)
            if instruction.keyword == "ARG":
                _declare(scope, index, instruction, values, given)
            elif instruction.keyword == "ENV":
                _set(scope, index, instruction)


def _image(name: str, environment: Environment) -> Mapping[str, str] | Callable[[], Mapping[str, str] | None]:
    return {} if name == _SCRATCH else lambda: environment(name)


def _declare(
    scope: _Scope, index: int, instruction: Instruction, values: Mapping[str, str], given: Mapping[str, str]
) -> None:
    for name, default in declared(instruction, scope.escape):
        if name in given:
            scope.put(name, index, given[name])
        elif default is not None:
            scope.put(name, index, _Written(default, index))
        elif name in values:
            scope.put(name, index, values[name])


def _set(scope: _Scope, index: int, instruction: Instruction) -> None:
    try:
        pairs = names_and_values(instruction.rest, scope.escape)
    except ValueError:
        return
    for name, value in pairs:
        scope.put(name, index, _Written(value, index))
