"""Decides whether a directory is copied without the executor's own step for the destination."""

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.copy.trees.tree import Kind

USUAL_MODE = 0o755


def destination_is_made_alike(instruction: Instruction, first: Kind | None, mode: int, support: Support) -> bool:
    """Whether a missing destination comes out as in BuildKit when the executor makes it for the first entry.

    BuildKit gives it mode 755 (or `--chmod`'s) and makes it root's (or `--chown`'s).

    Args:
        instruction: the COPY or ADD.
        first: what the first entry of the directory is.
        mode: its mode.
        support: the executor's.
    """
    owned, moded = (instruction.flag(flag) is not None for flag in ("--chown", "--chmod"))
    implicit = not support.is_old
    match first:
        case Kind.DIRECTORY:
            return mode == USUAL_MODE and not moded and (implicit or not owned)
        case Kind.FILE:
            return implicit or not moded
        case _:
            return not owned and not moded
