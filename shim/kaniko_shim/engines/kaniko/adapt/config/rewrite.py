"""Rewrites the instructions about the image's configuration where an executor reads them differently from Docker."""

from collections.abc import Mapping
from dataclasses import dataclass

from kaniko_shim.dockerfile.stages import Stages
from kaniko_shim.engines.kaniko.adapt.config.commands import (
    entrypoint_text,
    in_capitals,
    user_text,
    workdir_text,
)
from kaniko_shim.engines.kaniko.adapt.config.labels import labels_of
from kaniko_shim.engines.kaniko.adapt.config.ports import UnsupportedProtocolError, ports_text
from kaniko_shim.engines.kaniko.adapt.config.variables import Environment, Place, walk
from kaniko_shim.engines.kaniko.adapt.config.volumes import volumes_of
from kaniko_shim.engines.kaniko.adapt.draft import Edit, replaced
from kaniko_shim.engines.kaniko.adapt.old import workdir_in_steps


@dataclass(frozen=True, slots=True)
class RewrittenConfig:
    """The rewritten instructions.

    Attributes:
        edits: what replaces them.
        labels: the labels of the image, to be given to the executor by its flag.
        volumes: the volumes of the image, for the end of its stage.
    """

    edits: tuple[Edit, ...]
    labels: Mapping[str, str]
    volumes: tuple[str, ...] = ()


class InvalidInstructionError(ValueError):
    """What is wrong with an instruction.

    Attributes:
        place: where it stands.
        unsupported: whether it is right, but the executor cannot do it.
    """

    def __init__(self, place: Place, problem: ValueError) -> None:
        super().__init__(str(problem))
        self.place = place
        self.unsupported = isinstance(problem, UnsupportedProtocolError)


def rewrite_config(
    stages: Stages,
    values: Mapping[str, str],
    given: Mapping[str, str],
    environment: Environment,
    escape: str,
    *,
    is_old: bool = False,
) -> RewrittenConfig:
    """Rewrite EXPOSE, LABEL, ENTRYPOINT, USER, WORKDIR and VOLUME.

    Args:
        stages: the Dockerfile's; the last one makes the image.
        values: those of the variables in FROM.
        given: the build arguments' values.
        environment: gives the variables of a base image; asked only where an instruction needs them.
        escape: the Dockerfile's escape character.
        is_old: whether the executor makes the directories above a WORKDIR as root.

    Raises:
        InvalidInstructionError: Docker or the executor would refuse an instruction.
    """
    edits = list[Edit]()
    labels = dict[str, str]()
    with_user = set[int]()
    volumes = list[str]()
    image = {stage.index for stage in stages.bases(stages.stages[-1])} if stages.stages else set[int]()
    for place in walk(stages, values, given, environment, escape):
        base = stages.base(place.stage)
        if place.instruction.keyword == "USER" or (base and base.index in with_user):
            with_user.add(place.stage.index)
        steps = is_old and place.instruction.keyword == "WORKDIR" and place.stage.index in with_user
        if steps and (text := workdir_in_steps(place)):
            edits.append(replaced(place.instruction, text))
        elif place.instruction.keyword == "LABEL":
            found = labels_of(place, escape)
            if found is not None:
                edits.append(replaced(place.instruction, ""))
                labels |= found if place.stage.index in image else {}
        elif place.instruction.keyword == "VOLUME" and (paths := volumes_of(place)):
            edits.append(replaced(place.instruction, ""))
            volumes += paths if place.stage.index in image else ()
        elif text := _text(place, stages, escape):
            edits.append(replaced(place.instruction, text))
    return RewrittenConfig(tuple(edits), labels, tuple(volumes))


def _text(place: Place, stages: Stages, escape: str) -> str | None:
    match place.instruction.keyword:
        case "EXPOSE":
            try:
                return ports_text(place, escape)
            except ValueError as error:
                raise InvalidInstructionError(place, error) from error
        case "ENTRYPOINT":
            return entrypoint_text(place, stages)
        case "CMD":
            return in_capitals(place)
        case "USER":
            return user_text(place)
        case "WORKDIR":
            return workdir_text(place, escape)
        case _:
            return None
