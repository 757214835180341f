"""Interruptions of the job from outside, which can come at any time.

Neither is an `Exception`, so no handler of errors, here or in a library, mistakes it for an error of the operation.
"""

import signal


class CancelledError(BaseException):
    """A signal stopped the process.

    Attributes:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class TooLateError(BaseException):
    """The time limit for a part of the job has passed."""
