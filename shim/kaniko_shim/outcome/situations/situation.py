"""A row of the table of situations."""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from imagebuild_vocabulary.remedies import Remedy

from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.registry_answer import Answer


@dataclass(frozen=True, slots=True)
class Situation:
    """A way in which the executor or crane fails.

    Attributes:
        name: what tests call it.
        pattern: matches the program's text or, with `signs`, the registry's; its named groups are fields of the
            message. None matches any text.
        reason: the class of the failure.
        message: {error} is the program's text, {registry} the registry, {image} the requested image, {missing} the
            missing file, {step} the instruction.
        hint: what to do next; empty: the hint of the reason.
        remedy: a code for the hint, where the operator has words of its own for it.
        signs: the row matches an answer of a registry with one of these signs; empty: the text of the program.
    """

    name: str
    pattern: re.Pattern[str] | None
    reason: Reason
    message: str
    hint: str = ""
    signs: frozenset[str] = frozenset()
    remedy: Remedy | None = None

    def matches(self, words: str, answer: Answer | None) -> bool:
        """Whether the situation is this one.

        Args:
            words: the program's text without the registry's answer and without names.
            answer: the registry's answer without names.
        """
        if self.signs:
            return answer is not None and bool(self.signs & answer.signs) and self._says(answer.message)
        return self._says(words)

    def _says(self, text: str) -> bool:
        return self.pattern is None or self.pattern.search(text) is not None


HELPER = r"error getting credentials - err: "
"""How the library of the executor and crane begins what a Docker credential helper printed."""


def row(name: str, pattern: str, reason: Reason, message: str, hint: str = "") -> Situation:
    """A row for the text of the program."""
    return Situation(name, re.compile(pattern), reason, message, hint)


def answer_row(
    name: str, signs: AbstractSet[str], reason: Reason, message: str, hint: str = "", *, pattern: str = ""
) -> Situation:
    """A row for the answer of a registry."""
    return Situation(name, re.compile(pattern) if pattern else None, reason, message, hint, frozenset(signs))
