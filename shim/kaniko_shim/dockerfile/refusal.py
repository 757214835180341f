"""The refusal of an instruction."""

from imagebuild_vocabulary.remedies import Remedy

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.outcome.errors import Failure, JobError
from kaniko_shim.outcome.reasons import Reason


def refusal(
    reason: Reason, name: str, instruction: Instruction, problem: str, advice: str = "", remedy: Remedy | None = None
) -> JobError:
    """The error that names an instruction and its line.

    Args:
        reason: why the build ends.
        name: the Dockerfile's.
        instruction: as the user wrote it.
        problem: what is wrong, without a full stop.
        advice: what to write instead.
        remedy: a code for that, where the operator has words of its own for it.
    """
    return JobError.of(
        Failure(
            reason,
            f"{name} line {instruction.line}: {problem}.",
            instruction=instruction.text,
            line=instruction.line,
            hint=advice,
            remedy=remedy,
        )
    )
