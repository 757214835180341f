"""Reads the fields of a mapping. Collects all problems, each with the field's path, its value and what to write."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from imagebuild_operator.api.redact import redact

Value = TypeVar("Value")
Default = TypeVar("Default")


class Fields:
    """The fields of one mapping.

    A missing or null field gets its default. A malformed field gets it too, and counts as a problem.
    """

    def __init__(self, document: object, path: str = "") -> None:
        """Take a mapping; None counts as an empty one.

        Args:
            document: The mapping.
            path: Its path in the document, such as `builder.registries[0]`; empty for the document itself.
        """
        self._path = path
        self._values: Mapping[Any, Any] = document if isinstance(document, Mapping) else {}
        self._problems: list[str] = []
        self._known: list[str] = []
        self._sections: list[Fields] = []
        if document is not None and not isinstance(document, Mapping):
            self._problems.append(f"{path or 'the document'} is {_shown(document)}: write a mapping")

    def problems(self) -> Iterator[str]:
        """Yield all problems, including unknown keys. Call this after all fields have been read."""
        yield from self._problems
        for key in self._values:
            if key not in self._known:
                yield f"{self._at(key)} is unknown: write one of {', '.join(self._known)}"
        for section in self._sections:
            yield from section.problems()

    def section(self, key: str) -> "Fields":
        """Return the fields of a nested mapping."""
        self._known.append(key)
        self._sections.append(Fields(self._values.get(key), self._at(key)))
        return self._sections[-1]

    def sections(self, key: str) -> tuple["Fields", ...]:
        """Return the fields of each mapping in a list."""
        items = self.read(key, (), _list, "write a list of mappings")
        found = tuple(Fields({} if item is None else item, f"{self._at(key)}[{i}]") for i, item in enumerate(items))
        self._sections += found
        return found

    def read(self, key: str, default: Default, parse: Callable[[Any], Value], advice: str) -> Value | Default:
        """Read one field.

        Args:
            key: Its name.
            default: The result if it is missing, null or malformed.
            parse: Turns it into the result; raises TypeError or ValueError if it is malformed.
            advice: What to write instead.
        """
        self._known.append(key)
        value = self._values.get(key)
        if value is None:
            return default
        try:
            return parse(value)
        except (TypeError, ValueError):
            self._refuse(key, advice)
            return default

    def switch(self, key: str, *, default: bool) -> bool:
        """Read a boolean."""
        return self.read(key, default, _bool, "write true or false")

    def whole(self, key: str, default: Default, least: int = 0, most: int | None = None) -> int | Default:
        """Read a whole number between bounds."""
        advice = f"write a whole number, {least} or more" if most is None else f"write a number from {least} to {most}"
        return self.read(key, default, lambda value: _whole(value, least, most), advice)

    def seconds(self, key: str, default: float) -> float:
        """Read a number of seconds."""
        return self.read(key, default, _seconds, "write a number of seconds, 0 or more")

    def text(self, key: str, default: Default, pattern: str = ".*", advice: str = "write a string") -> str | Default:
        """Read a string that matches a pattern as a whole."""

        def parse(value: object) -> str:
            if not isinstance(value, str) or not re.fullmatch(pattern, value):
                raise ValueError
            return value

        return self.read(key, default, parse, advice)

    def required(self, key: str, pattern: str, advice: str) -> str:
        """Read a string that must be set."""
        if (self._values.get(key) or "") == "":
            self._known.append(key)
            self._refuse(key, advice)
            return ""
        return self.text(key, "", pattern, advice)

    def choice(self, key: str, default: str, choices: Sequence[str]) -> str:
        """Read one of several words."""
        return self.text(key, default, "|".join(choices), f"write {', '.join(choices[:-1])} or {choices[-1]}")

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Read a list of strings."""
        return self.read(key, default, lambda value: tuple(map(_str, _list(value))), "write a list of strings")

    def mapping(self, key: str) -> dict[str, Any]:
        """Read a mapping that is passed on unchanged."""
        return self.read(key, {}, _mapping, "write a mapping")

    def strings(self, key: str) -> dict[str, str]:
        """Read a mapping of strings to strings."""
        return self.read(key, {}, lambda value: _values(value, _str), "write a mapping of strings to strings")

    def wholes(self, key: str) -> dict[str, int]:
        """Read a mapping of strings to whole numbers."""
        advice = "write a mapping of strings to whole numbers, 0 or more"
        return self.read(key, {}, lambda value: _values(value, _whole), advice)

    def mappings(self, key: str) -> tuple[dict[str, Any], ...]:
        """Read a list of mappings that are passed on unchanged."""
        return self.read(key, (), lambda value: tuple(map(_mapping, _list(value))), "write a list of mappings")

    def _refuse(self, key: str, advice: str) -> None:
        value = self._values.get(key)
        said = "is not set" if value is None else f"is {_shown(value)}"
        self._problems.append(f"{self._at(key)} {said}: {advice}")

    def _at(self, key: object) -> str:
        return f"{self._path}.{key}" if self._path else str(key)


def _shown(value: object) -> str:
    return redact(repr(value))


def _of(kind: type[Value]) -> Callable[[object], Value]:
    def parse(value: object) -> Value:
        if not isinstance(value, kind):
            raise TypeError
        return value

    return parse


_bool, _str, _list, _mapping = _of(bool), _of(str), _of(list), _of(dict)


def _values(value: object, parse: Callable[[object], Value]) -> dict[str, Value]:
    return {_str(name): parse(each) for name, each in _mapping(value).items()}


def _whole(value: object, least: int = 0, most: int | None = None) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    if value < least or (most is not None and value > most):
        raise ValueError
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    if not 0 <= value < float("inf"):
        raise ValueError
    return float(value)
