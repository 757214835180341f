"""Leaves out the stages that the target does not need, and writes FROM so that nothing in it is left to expand."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.stages import Stage, Stages, origin_names
from kaniko_shim.dockerfile.words import plain_words
from kaniko_shim.engines.kaniko.adapt.draft import Edit, replaced

_FROM_FLAG = re.compile(r"(--from=[\"']?)([^\s\"']+)")
_FROM_OF_MOUNT = re.compile(r"(\bfrom=[\"']?)([^\s,\"']+)", re.IGNORECASE)


def select_stages(stages: Stages, built: Sequence[Stage], images: Mapping[int, str]) -> Iterator[Edit]:
    """The edits that leave only the stages that are built.

    Stages get new numbers by that, so what refers to one by its number gets the new one. A name that several of them
    have is made unique, since an executor looks for the first one and Docker for the last one above.

    Args:
        stages: the Dockerfile's, with the values of the variables in FROM.
        built: the stages that are built.
        images: by index of a stage, the image to take instead of the one that its FROM names.
    """
    for stage in stages.others(built):
        yield from (replaced(each, "") for each in (stage.start, *stage.instructions))
    names = _names(built)
    numbers = {stage.index: str(number) for number, stage in enumerate(built)}
    for stage in built:
        base = stages.base(stage)
        image = images.get(stage.index) or (names[base.index] if base else stage.base)
        text = _from_text(stage, image, names[stage.index])
        if stage.start.flags or text != stage.start.head + stage.start.rest:
            yield replaced(stage.start, text)
        for instruction in stage.instructions:
            meant = {name: found for name in origin_names(instruction) if (found := stages.find(name, stage.index))}
            new = {
                name: names[found.index] if names[found.index] and not name.isdigit() else numbers[found.index]
                for name, found in meant.items()
            }
            if any(name.lower() != each for name, each in new.items()):
                yield _with_origins(instruction, new)


def _names(built: Sequence[Stage]) -> dict[int, str]:
    count = Counter(stage.name for stage in built)
    last = {stage.name: stage.index for stage in built}
    return {
        stage.index: f"{stage.name}.{stage.index}"
        if stage.name and count[stage.name] > 1 and last[stage.name] != stage.index
        else stage.name
        for stage in built
    }


def _from_text(stage: Stage, image: str, name: str) -> str:
    keyword = stage.start.head[: len(stage.start.keyword)]
    words = plain_words(stage.start.rest)
    rest = words[1:]
    if name != stage.name:
        rest = (words[1], name)
    # A malformed FROM stays one, for the executor to report.
    return " ".join([keyword, image or (words[0] if words else ""), *rest])


def _with_origins(instruction: Instruction, new: Mapping[str, str]) -> Edit:
    """The instruction with other names in `--from` and in `from=` of its mounts."""

    def name(match: re.Match[str]) -> str:
        return match[1] + new.get(match[2], match[2])

    head = instruction.head
    keyword, flags = head[: len(instruction.keyword)], head[len(instruction.keyword) :]
    flags = (_FROM_OF_MOUNT if instruction.keyword == "RUN" else _FROM_FLAG).sub(name, flags)
    documents = "".join(f"\n{each.content}{each.word}" for each in instruction.heredocs)
    return replaced(instruction, f"{keyword}{flags}{instruction.rest}{documents}")
