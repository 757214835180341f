"""Quotes, escapes and variables in a Dockerfile's words, read as BuildKit's lexer reads them."""

from collections.abc import Mapping

from kaniko_shim.dockerfile.shell_patterns import replace_matches, without_prefix, without_suffix
from kaniko_shim.system.spaces import SPACES

_SPECIAL = frozenset("@*#?-$!0")
_NO_VALUES: Mapping[str, str] = {}


def split_words(text: str, *, raw: bool = False) -> list[str]:
    """The words of a text, without values for its variables, which stay as they are.

    Args:
        text: the text; bytes that are not UTF-8 become U+FFFD.
        raw: whether quotes and escapes stay.

    Raises:
        ValueError: a quote or a brace is open, or a variable is malformed.
    """
    return _Lexer(text, None, raw_quotes=raw, raw_escapes=raw).words()


def split_quoted_words(text: str) -> list[str]:
    """The same with quotes, but without escapes.

    Raises:
        ValueError: as above.
    """
    return _Lexer(text, None, raw_quotes=True, raw_escapes=False).words()


def expand(word: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """A word without quotes and escapes, its variables replaced by their values.

    Args:
        word: the word.
        values: by name; a lookup may raise an error of its own.
        escape: the Dockerfile's escape character.

    Raises:
        ValueError: a quote or a brace is open, or a variable is malformed.
    """
    return _Lexer(word, values, raw_quotes=False, raw_escapes=False, escape=escape).word()


def expand_document(text: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """The content of a heredoc with its variables replaced and its escapes applied; quotes have no meaning in it.

    Raises:
        ValueError: as above.
    """
    return _Lexer(text, values, raw_quotes=False, raw_escapes=False, escape=escape, quotes="").word()


def expand_words(text: str, values: Mapping[str, str], escape: str = "\\") -> list[str]:
    """The same, as the words that blanks outside of quotes separate, also those of values.

    Raises:
        ValueError: as above.
    """
    return _Lexer(text, values, raw_quotes=False, raw_escapes=False, escape=escape).words()


class _Lexer:
    def __init__(
        self,
        text: str,
        values: Mapping[str, str] | None,
        *,
        raw_quotes: bool,
        raw_escapes: bool,
        escape: str = "\\",
        quotes: str = "'\"",
    ) -> None:
        self._escape = escape
        self._quotes = quotes
        self._text = "".join("\ufffd" if "\udc80" <= c <= "\udcff" else c for c in text).removeprefix("\ufeff")
        self._at = 0
        self._values = values if values is not None else _NO_VALUES
        self._keeps_unset = values is None
        self._raw_quotes = raw_quotes
        self._raw_escapes = raw_escapes
        self._buffer = list[str]()

    def words(self) -> list[str]:
        return self._read()[1]

    def word(self) -> str:
        return self._read()[0]

    def _read(self) -> tuple[str, list[str]]:
        try:
            return self._until("")
        except RecursionError:
            raise ValueError("variables are nested too deep") from None

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        character = self._peek()
        self._at += 1
        return character

    def _until(self, stop: str) -> tuple[str, list[str]]:
        """What stands before a character (before the end, if `stop` is empty), as one word and as words."""
        result = list[str]()
        words = list[str]()
        # One buffer for all levels, as in BuildKit: what stands before a ${…} in the same word is lost from `words`.
        self._buffer.clear()
        while character := self._peek():
            if character == stop:
                self._at += 1
                return "".join(result), self._flushed(words)
            match character:
                case "$":
                    made = self._variable()
                    result.append(made)
                    for each in made:
                        self._add(each, words)
                case "'" | '"' | "<" if character == "<" or character in self._quotes:
                    made = self._heredoc() if character == "<" else self._quoted(character)
                    result.append(made)
                    self._buffer.append(made)
                case self._escape:
                    self._at += 1
                    escaped = (character if self._raw_escapes else "") + self._next()
                    result.append(escaped)
                    self._buffer.append(escaped)
                case _:
                    self._at += 1
                    result.append(character)
                    self._add(character, words)
        if stop:
            raise ValueError(f"there is no {stop}")
        return "".join(result), self._flushed(words)

    def _add(self, character: str, words: list[str]) -> None:
        if character not in SPACES:
            self._buffer.append(character)
        else:
            self._flushed(words)

    def _flushed(self, words: list[str]) -> list[str]:
        if word := "".join(self._buffer):
            words.append(word)
            self._buffer.clear()
        return words

    def _quoted(self, quote: str) -> str:
        self._at += 1
        result = [quote if self._raw_quotes else ""]
        while character := self._peek():
            if character == quote:
                self._at += 1
                return "".join(result) + (quote if self._raw_quotes else "")
            if character == "$" and quote == '"':
                result.append(self._variable())
                continue
            self._at += 1
            if character == self._escape and quote == '"':
                result.append(character if self._raw_escapes else "")
                if not self._peek():
                    continue
                if self._peek() in f'"${self._escape}':
                    character = self._next()
            result.append(character)
        raise ValueError(f"a quote is open ({quote})")

    def _heredoc(self) -> str:
        self._at += 1
        if self._peek() != "<":
            return "<"
        self._at += 1
        blanks = list[str]()
        while self._peek() in set("\t\r "):
            blanks.append(self._next())
        return "<<" + "".join(blanks)

    def _variable(self) -> str:
        self._at += 1
        if self._peek() != "{":
            name = self._name()
            return self._values.get(name, f"${name}" if self._keeps_unset else "") if name else "$"
        self._at += 1
        if self._peek() in {"", "{", "}", ":"}:
            raise ValueError("a variable in braces is malformed")
        name = self._name()
        sign = self._next()
        if sign == "}":
            return self._values.get(name, f"${{{name}}}" if self._keeps_unset else "")
        if sign == "/":
            return self._substituted(name)
        empty_is_unset = sign == ":"
        operator = self._next() if empty_is_unset else sign
        if operator in {"#", "%"} and not empty_is_unset:
            return self._trimmed(name, operator)
        # After a colon, BuildKit reads the word before it looks at the operator.
        if operator not in {"+", "-", "?"} and (not empty_is_unset or operator in {"#", "%"}):
            raise ValueError(f"a variable has an unknown operator: {operator}")
        word = self._inner("}", raw_escapes=False)
        value = self._values.get(name)
        if value is None and self._keeps_unset:
            return f"${{{name}{sign if empty_is_unset else ''}{operator}{word}}}"
        return _operated(name, operator, word, None if value == "" and empty_is_unset else value)

    def _trimmed(self, name: str, operator: str) -> str:
        word = self._inner("}", raw_escapes=True)
        if self._keeps_unset and name not in self._values:
            return f"${{{name}{operator}{word}}}"
        longest = word.startswith(operator)
        pattern = word.removeprefix(operator)
        value = self._values.get(name, "")
        cut = without_prefix if operator == "#" else without_suffix
        return cut(value, pattern, longest=longest)

    def _substituted(self, name: str) -> str:
        every = self._peek() == "/"
        self._at += every
        pattern, replacement = self._inner("/", raw_escapes=True), self._inner("}", raw_escapes=True)
        if self._keeps_unset and name not in self._values:
            return f"${{{name}/{pattern}/{replacement}}}"
        return replace_matches(self._values.get(name, ""), pattern, replacement, every=every)

    def _inner(self, stop: str, *, raw_escapes: bool) -> str:
        before, self._raw_escapes = self._raw_escapes, raw_escapes
        try:
            return self._until(stop)[0]
        finally:
            self._raw_escapes = before

    def _name(self) -> str:
        begin = self._at
        first = self._peek()
        if first.isdecimal():
            while self._peek().isdecimal():
                self._at += 1
        elif first in _SPECIAL and first:
            self._at += 1
        else:
            while (character := self._peek()) and (character.isalpha() or character.isdecimal() or character == "_"):
                self._at += 1
        return self._text[begin : self._at]


def _operated(name: str, operator: str, word: str, value: str | None) -> str:
    match operator:
        case "-":
            return word if value is None else value
        case "+":
            return "" if value is None else word
        case "?":
            if value is None:
                raise ValueError(f"{name}: {word or 'is not set'}")
            return value
        case _:
            raise ValueError(f"a variable has an unknown operator: {operator}")
