"""What Docker refuses in references between stages, while an executor takes something else or fails later."""

from collections.abc import Iterable, Iterator

from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.dockerfile.stages import Stage, Stages, origin_names
from kaniko_shim.outcome.reasons import Reason


def refuse_references(stages: Stages, built: Iterable[Stage], name: str) -> None:
    """Refuse a FROM without a base, and a `--from` of a stage that is not above.

    Args:
        stages: the Dockerfile's.
        built: those that are built.
        name: the Dockerfile's, for the message.

    Raises:
        JobError: DockerfileInvalid, naming the file and the line.
    """
    for stage in built:
        if not stage.base:
            raise refusal(
                Reason.DOCKERFILE_INVALID,
                name,
                stage.start,
                f"the base image of FROM is empty: {stage.start.text}",
                "Give the variable a default with ARG before the first FROM, or pass it as a build argument.",
            )
        for instruction in stage.instructions:
            for origin in origin_names(instruction):
                if problem := _problem(stages, stage, origin):
                    raise refusal(
                        Reason.DOCKERFILE_INVALID, name, instruction, problem, "Name a stage above, or an image."
                    )


def warnings_about_names(stages: Stages, built: Iterable[Stage], target: str, name: str) -> Iterator[str]:
    """Warnings about names of stages that Docker does not accept, though the build is what was meant."""
    for stage in built:
        base = stages.base(stage)
        if base and stage.base != base.name:
            yield (
                f"{name} line {stage.start.line}: Docker finds the stage {base.name} by its name in lower case only, "
                f"and would take {stage.base} for an image. Write FROM {base.name}."
            )
    if target.isascii() and target.isdigit() and stages.target(target):
        yield f"TARGET={target}: Docker finds a target by its name only. Name the stage with AS, and set TARGET to it."


def _problem(stages: Stages, stage: Stage, origin: str) -> str:
    if origin.lstrip("+-").isascii() and origin.lstrip("+-").isdigit():
        index = int(origin) if len(origin) < len(str(len(stages.stages))) + 2 else len(stages.stages)
        if not 0 <= index < stage.index:
            return f"from={origin} is not the number of a stage above; the first stage is 0, and this one {stage.index}"
        return ""
    found = stages.find(origin, len(stages.stages))
    if found and found.index >= stage.index:
        where = "this stage itself" if found.index == stage.index else f"at line {found.start.line}, below"
        return f"from={origin} names a stage that is {where}"
    return ""
