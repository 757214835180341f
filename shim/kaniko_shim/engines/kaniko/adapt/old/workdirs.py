"""WORKDIR, written so that the directories above it belong to the USER, too."""

from kaniko_shim.engines.kaniko.adapt.config.literals import literal
from kaniko_shim.engines.kaniko.adapt.config.variables import Place


def workdir_in_steps(place: Place) -> str | None:
    """A WORKDIR for each directory on the way, so that those which are made belong to the USER too."""
    path = place.expanded(place.instruction.rest, ask=False)
    parts = [part for part in path.split("/") if part] if path else []
    if not path or len(parts) <= 1:
        return None
    steps = ["/" + "/".join(parts[: number + 1]) for number in range(len(parts))] if path.startswith("/") else parts
    if path.startswith("/"):
        steps[-1] = path
    return "\n".join(f"{place.instruction.head}{literal(step)}" for step in steps)
