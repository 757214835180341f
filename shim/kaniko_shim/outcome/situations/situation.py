"""One way in which the executor or crane fails."""

import re
from dataclasses import dataclass

from kaniko_shim.outcome.reasons import Reason


@dataclass(frozen=True, slots=True)
class Situation:
    """One way to fail.

    Attributes:
        name: what tests call it.
        pattern: what the program says; its named groups are words for the message.
        reason: the class of the failure.
        message: {error} is the program's own text, {registry} the registry concerned, {image} the image that was
            asked for, {step} the Dockerfile's instruction.
        hint: the next step; empty means the reason's own hint.
    """

    name: str
    pattern: re.Pattern[str]
    reason: Reason
    message: str
    hint: str = ""


def row(name: str, pattern: str, reason: Reason, message: str, hint: str = "") -> Situation:
    """A row of the table, with the pattern compiled."""
    return Situation(name, re.compile(pattern), reason, message, hint)
