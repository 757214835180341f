"""One way in which the executor or crane fails."""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.registry_answer import Answer


@dataclass(frozen=True, slots=True)
class Situation:
    """One way to fail.

    Attributes:
        name: what tests call it.
        pattern: what the program or, with `signs`, the registry says; its named groups are words for the message.
            None: anything.
        reason: the class of the failure.
        message: {error} is the program's own text, {registry} the registry concerned, {image} the image that was
            asked for, {step} the Dockerfile's instruction.
        hint: the next step; empty means the reason's own hint.
        signs: the row is for an answer of a registry with one of these signs; empty: for what the program says.
    """

    name: str
    pattern: re.Pattern[str] | None
    reason: Reason
    message: str
    hint: str = ""
    signs: frozenset[str] = frozenset()

    def matches(self, words: str, answer: Answer | None) -> bool:
        """Whether this is what happened.

        Args:
            words: the program's text without the registry's answer, names cut out.
            answer: the registry's answer, names cut out.
        """
        if self.signs:
            return answer is not None and bool(self.signs & answer.signs) and self._says(answer.message)
        return self._says(words)

    def _says(self, text: str) -> bool:
        return self.pattern is None or self.pattern.search(text) is not None


def row(name: str, pattern: str, reason: Reason, message: str, hint: str = "") -> Situation:
    """A row for what the program says."""
    return Situation(name, re.compile(pattern), reason, message, hint)


def answer_row(
    name: str, signs: AbstractSet[str], reason: Reason, message: str, hint: str = "", *, pattern: str = ""
) -> Situation:
    """A row for what a registry answers."""
    return Situation(name, re.compile(pattern) if pattern else None, reason, message, hint, frozenset(signs))
