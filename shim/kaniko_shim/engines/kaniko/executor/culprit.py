"""Finds the instruction of the Dockerfile that failed."""

import re

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.search import find_copy, find_line
from kaniko_shim.engines.kaniko.executor.progress import Progress
from kaniko_shim.outcome.explain import missing_file

_IN_A_STAGE = re.compile(r"/kaniko/(?!buildcontext/)")
_NO_SIGNAL = re.compile(r"invalid signal: (\S+)")


def find_culprit(
    instructions: tuple[Instruction, ...], progress: Progress, error: str, sub_path: str
) -> tuple[str, int]:
    """The instruction that failed, and its line (0 if unknown).

    Args:
        instructions: the Dockerfile.
        progress: what the executor did.
        error: the executor's last words.
        sub_path: the context's directory in the fetched tree.
    """
    missing = missing_path(error, sub_path)
    # The executor looks for files to copy before it begins an instruction.
    if missing and (found := find_copy(instructions, missing)):
        return found.text, found.line
    # Some executors check signals before they begin the first instruction.
    if (signal := _NO_SIGNAL.search(error)) and (found := _find_signal(instructions, signal[1])):
        return found.text, found.line
    if progress.image:
        return _find_image(instructions, progress.image)
    return progress.instruction, find_line(instructions, progress.instruction, progress.occurrence)


def missing_path(error: str, sub_path: str) -> str:
    """The file that an error says is missing, as the Dockerfile has it, or empty."""
    missing = missing_file(error)
    return missing if _IN_A_STAGE.search(error) else missing.removeprefix(sub_path.strip("/") + "/")


def _find_signal(instructions: tuple[Instruction, ...], signal: str) -> Instruction | None:
    named = (each for each in instructions if each.keyword == "STOPSIGNAL")
    return next((each for each in named if signal in each.text.split()), None)


def _find_image(instructions: tuple[Instruction, ...], image: str) -> tuple[str, int]:
    for instruction in instructions:
        words = instruction.text.split()
        if (instruction.keyword == "FROM" and image in words) or f"--from={image}" in words:
            return instruction.text, instruction.line
    return "", 0
