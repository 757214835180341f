"""The log: what the shim writes to its standard output."""

import json
import os
import time
from collections.abc import Callable

from imagebuild_vocabulary.log_lines import OWN

from kaniko_shim.log.masking import Masker

_STDOUT = 1


class Console:
    """Writes lines of the log, with secrets masked.

    It writes at once and unbuffered, so that no line is lost if the process is killed.

    Attributes:
        masker: masks secrets.
    """

    def __init__(self, masker: Masker, descriptor: int = _STDOUT) -> None:
        self.masker = masker
        self._phase: Callable[[], str] | None = None
        self._descriptor = descriptor

    def structure(self, phase: Callable[[], str]) -> None:
        """Write each further line as a JSON object, with the phase that a function returns."""
        self._phase = phase

    def say(self, text: str) -> None:
        """Write a line of the shim."""
        self.relay(text if self._phase else f"{OWN}{text}", "shim")

    def relay(self, text: str, stream: str = "shim") -> None:
        """Write a line as it is, with secrets masked.

        Args:
            text: the line.
            stream: the program that printed it.
        """
        text = self.masker.mask(text)
        if self._phase:
            text = _structured(text, stream, self._phase())
        content = (text + "\n").encode("utf-8", "replace")
        try:
            while content:
                content = content[os.write(self._descriptor, content) :]
        except (BrokenPipeError, BlockingIOError):
            # If the reader of the log has gone or is stuck, the build continues.
            return


def _structured(text: str, stream: str, phase: str) -> str:
    now = time.time()
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"
    return json.dumps({"time": moment, "phase": phase, "stream": stream, "message": text}, ensure_ascii=False)
