"""Resolves the stages of a Dockerfile: what is built, from which bases."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from kaniko_shim.dockerfile.arguments import values_for_from
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.stages import Stage, Stages, origin_names, split_stages
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.draft import Draft
from kaniko_shim.engines.kaniko.adapt.old import warnings_about_scopes
from kaniko_shim.engines.kaniko.adapt.stages.onbuild import inline_triggers
from kaniko_shim.engines.kaniko.adapt.stages.platforms import bases_by_digest, warnings_about_platforms
from kaniko_shim.engines.kaniko.adapt.stages.references import refuse_references, warnings_about_names
from kaniko_shim.engines.kaniko.adapt.stages.selection import select_stages
from kaniko_shim.oci.platform import Platform

_UNNAMED = "default"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The stages that are built.

    Attributes:
        draft: a Dockerfile of nothing else.
        target: the stage to ask the executor for: empty, since it is the last, unless there is no such stage.
        own: the stages as the user wrote them.
        instructions: all that are built, triggers (ONBUILD) in their places, at the lines of the user's file.
        values: those of the variables in FROM.
        automatic: the variables that Docker sets by itself, with their values.
        warnings: what Docker would not accept.
        images: the images that FROM and --from name, as written.
    """

    draft: Draft
    target: str
    own: tuple[Stage, ...]
    instructions: tuple[Instruction, ...]
    values: Mapping[str, str] = field(repr=False)
    automatic: Mapping[str, str]
    warnings: tuple[str, ...]
    images: tuple[str, ...]


def resolve_stages(
    draft: Draft,
    target: str,
    arguments: Mapping[str, str],
    support: Support,
    find: Callable[[str, Platform], str],
    name: str,
    platform_of: Callable[[str, Platform], Platform | None] = lambda *_: None,
) -> Resolved:
    """Resolve the stages of a Dockerfile.

    Args:
        draft: the user's Dockerfile.
        target: the stage to build, by name or number; empty for the last.
        arguments: the build arguments' values.
        support: what the executor supports.
        find: gives the name by digest of an image for a platform.
        name: the Dockerfile's, for the message.
        platform_of: gives the platform of an image for a platform by its own account.

    Raises:
        JobError: DockerfileInvalid or DockerfileUnsupported, naming the line; or a registry's reason.
    """
    plain = split_stages(draft.instructions)
    last = plain.stages[-1].name if plain.stages else ""
    automatic = {**support.arguments, "TARGETSTAGE": target or last or _UNNAMED}
    values = values_for_from(plain.arguments, arguments, automatic, draft.escape)
    stages = split_stages(draft.instructions, values)
    draft = draft.then(inline_triggers(stages, target))
    here = split_stages(draft.instructions, values)
    built = here.built(target)
    refuse_references(here, built, name)
    images = bases_by_digest(here, built, support, values, find, name)
    indexes = {stage.index for stage in built}
    return Resolved(
        draft.then(select_stages(here, built, images)),
        "" if here.target(target) else target,
        tuple(stage for stage in stages.stages if stage.index in indexes),
        (*here.arguments, *chain.from_iterable((stage.start, *stage.instructions) for stage in built)),
        values,
        automatic,
        (
            *warnings_about_names(here, built, target, name),
            *(warnings_about_scopes(here, built, arguments, name) if support.is_old else ()),
            *warnings_about_platforms(here, built, support, values, platform_of, name),
        ),
        tuple(dict.fromkeys(_images(here, built))),
    )


def _images(stages: Stages, built: Iterable[Stage]) -> Iterator[str]:
    for stage in built:
        if stages.base(stage) is None:
            yield stage.base
        for instruction in stage.instructions:
            yield from (name for name in origin_names(instruction) if stages.find(name, stage.index) is None)
