"""Puts the triggers of a stage (ONBUILD) into the stages that are based on it.

The executor would run them too, but nothing would adapt what they say.
"""

from collections.abc import Iterator

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.stages import Stages
from kaniko_shim.engines.kaniko.adapt.draft import Edit, replaced

_ONBUILD = "ONBUILD"


def inline_triggers(stages: Stages, target: str) -> Iterator[Edit]:
    """The edits that move triggers; those of the target stay, since they are part of its configuration.

    Args:
        stages: the Dockerfile's, triggers included.
        target: the stage to build; empty for the last.
    """
    last = stages.target(target) or (stages.stages[-1] if stages.stages else None)
    for stage in stages.stages:
        if stage is not last:
            yield from (replaced(each, "") for each in stage.instructions if each.keyword == _ONBUILD)
        base = stages.base(stage)
        given = base.instructions if base else ()
        triggers = [_text(each, each.trigger) for each in given if each.trigger]
        if triggers:
            yield replaced(stage.start, "\n".join([stage.start.head + stage.start.rest, *triggers]))


def _text(instruction: Instruction, trigger: Instruction) -> str:
    documents = (f"\n{each.content}{each.word}" for each in instruction.heredocs)
    return trigger.head + trigger.rest + "".join(documents)
