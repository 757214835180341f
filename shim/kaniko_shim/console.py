"""What the shim writes to its standard output."""

import os

from kaniko_shim.masking import Masker

_STDOUT = 1


class Console:
    """Lines of the log, with secrets masked.

    It writes at once and unbuffered, so that nothing is lost when the process is killed.
    """

    def __init__(self, masker: Masker, descriptor: int = _STDOUT) -> None:
        self.masker = masker
        self._descriptor = descriptor

    def say(self, text: str) -> None:
        """Write a line of the shim's own."""
        self.relay(f"kaniko-shim: {text}")

    def relay(self, text: str) -> None:
        """Write a line as it is, secrets apart."""
        content = (self.masker.mask(text) + "\n").encode("utf-8", "replace")
        try:
            while content:
                content = content[os.write(self._descriptor, content) :]
        except (BrokenPipeError, BlockingIOError):
            # A reader of the log that has gone, or is stuck, does not stop the build.
            return
