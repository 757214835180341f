"""ENTRYPOINT, USER and WORKDIR where an executor takes them differently from Docker."""

from kaniko_shim.dockerfile.stages import Stages
from kaniko_shim.engines.kaniko.adapt.config.literals import literal
from kaniko_shim.engines.kaniko.adapt.config.variables import Place

_NOT_PLAIN = frozenset("$'\"\\`")


def entrypoint_text(place: Place, stages: Stages) -> str | None:
    """An ENTRYPOINT without a CMD of its own stage, followed by an empty CMD: the one of the base stage ends there.

    An executor joins stages that are based on each other, and then takes that CMD for the stage's own.
    """
    has_cmd = any(each.keyword == "CMD" for each in place.stage.instructions)
    if has_cmd or stages.base(place.stage) is None:
        return in_capitals(place)
    return f"{place.instruction.head}{place.instruction.rest}\nCMD []"


def in_capitals(place: Place) -> str | None:
    """An instruction whose keyword is not in capitals, with one that is: an executor looks for CMD and ENTRYPOINT."""
    instruction = place.instruction
    head = instruction.keyword + instruction.head[len(instruction.keyword) :]
    return None if head == instruction.head else f"{head}{instruction.rest}"


def user_text(place: Place) -> str | None:
    """A USER with its variables expanded: an executor cuts it at a colon first, also at that of `${UID:-1000}`."""
    rest = place.instruction.rest
    if _NOT_PLAIN.isdisjoint(rest):
        return None
    user = place.expanded(rest)
    if not user or any(character.isspace() for character in user):
        return None
    return f"{place.instruction.head}{literal(user)}"


def workdir_text(place: Place, escape: str) -> str | None:
    """A WORKDIR with its variables expanded, where an executor does not know the escape character."""
    rest = place.instruction.rest
    if escape == "\\" or _NOT_PLAIN.isdisjoint(rest):
        return None
    path = place.expanded(rest)
    return f"{place.instruction.head}{literal(path)}" if path else None
