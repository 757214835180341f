"""Rewrites the instructions about the image's configuration where an executor reads them otherwise than Docker."""

from collections.abc import Mapping
from dataclasses import dataclass

from kaniko_shim.dockerfile.config.commands import entrypoint_text, user_text, workdir_text
from kaniko_shim.dockerfile.config.labels import labels_of
from kaniko_shim.dockerfile.config.ports import ports_text
from kaniko_shim.dockerfile.config.variables import Environment, Place, walk
from kaniko_shim.dockerfile.edits import Edit, replaced
from kaniko_shim.dockerfile.syntax.stages import Stages


@dataclass(frozen=True, slots=True)
class RewrittenConfig:
    """The rewritten instructions.

    Attributes:
        edits: what replaces them.
        labels: the labels of the image, to be given to the executor by its flag.
    """

    edits: tuple[Edit, ...]
    labels: Mapping[str, str]


class InvalidInstructionError(ValueError):
    """What is wrong with an instruction.

    Attributes:
        place: where it stands.
    """

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(problem)
        self.place = place


def rewrite_config(
    stages: Stages, values: Mapping[str, str], given: Mapping[str, str], environment: Environment, escape: str
) -> RewrittenConfig:
    """Rewrite EXPOSE, LABEL, ENTRYPOINT, USER and WORKDIR.

    Args:
        stages: the Dockerfile's; the last one makes the image.
        values: those of the variables in FROM.
        given: the build arguments' values.
        environment: gives the variables of a base image; asked only where an instruction needs them.
        escape: the Dockerfile's escape character.

    Raises:
        InvalidInstructionError: Docker would refuse an instruction.
    """
    edits = list[Edit]()
    labels = dict[str, str]()
    image = {stage.index for stage in stages.bases(stages.stages[-1])} if stages.stages else set[int]()
    for place in walk(stages, values, given, environment, escape):
        if place.instruction.keyword == "LABEL":
            found = labels_of(place, escape)
            if found is not None:
                edits.append(replaced(place.instruction, ""))
                labels |= found if place.stage.index in image else {}
        elif text := _text(place, stages, escape):
            edits.append(replaced(place.instruction, text))
    return RewrittenConfig(tuple(edits), labels)


def _text(place: Place, stages: Stages, escape: str) -> str | None:
    match place.instruction.keyword:
        case "EXPOSE":
            try:
                return ports_text(place, escape)
            except ValueError as error:
                raise InvalidInstructionError(place, str(error)) from error
        case "ENTRYPOINT":
            return entrypoint_text(place, stages)
        case "USER":
            return user_text(place)
        case "WORKDIR":
            return workdir_text(place, escape)
        case _:
            return None
