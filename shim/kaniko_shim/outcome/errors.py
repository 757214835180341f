"""Failures of a job, and the errors that carry them."""

import signal
from dataclasses import dataclass, field

from imagebuild_vocabulary.remedies import Remedy

from kaniko_shim.outcome.reasons import TABLE, Reason
from kaniko_shim.system.processes.interruption import CancelledError


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed, as it is in the result.

    Attributes:
        reason: the class of the failure.
        message: a sentence without secrets.
        hint: the next step; empty means the reason's own hint.
        exit_code: overrides the reason's exit code (a RUN's own code, a signal).
        instruction: the Dockerfile's instruction, as written there.
        line: its line, counted from 1; 0 if unknown.
        registry: `host[:port]` concerned, if one is.
        remedy: a code for the hint, where the operator has words of its own for it.
        situation: the name of the row in the table of situations; empty if there is none.
    """

    reason: Reason
    message: str
    hint: str = ""
    exit_code: int | None = None
    instruction: str = ""
    line: int = 0
    registry: str = ""
    remedy: Remedy | None = None
    situation: str = field(default="", compare=False)

    @property
    def code(self) -> int:
        """The exit code of the process, up to 255: the kernel keeps eight bits, so 256 would be a success."""
        return min(TABLE[self.reason].exit_code if self.exit_code is None else self.exit_code, 255)

    @property
    def advice(self) -> str:
        """The hint; if there is none, the reason's own."""
        return self.hint or TABLE[self.reason].hint


class JobError(Exception):
    """Ends the job with a failure."""

    def __init__(
        self, reason: Reason, message: str, *, hint: str = "", registry: str = "", remedy: Remedy | None = None
    ) -> None:
        super().__init__(message)
        self.failure = Failure(reason, message, hint=hint, registry=registry, remedy=remedy)

    @classmethod
    def of(cls, failure: Failure) -> "JobError":
        """An error for an existing failure."""
        error = cls(failure.reason, failure.message)
        error.failure = failure
        return error


def failure_of(error: JobError | CancelledError) -> Failure:
    """The failure that ends the job."""
    return error.failure if isinstance(error, JobError) else cancelled(error.number)


def cancelled(number: int) -> Failure:
    """The failure of a job that a signal stopped."""
    name = signal.Signals(number).name
    return Failure(Reason.CANCELLED, f"The job was stopped by {name}.", exit_code=128 + number)
