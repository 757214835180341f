"""Standard output and error: on a terminal, nothing is written that the terminal would obey; elsewhere, all as it is.

What a Dockerfile, a base image or a RUN says reaches messages, logs and warnings, and may hold escape sequences and
characters that change the direction of text.
"""

import os
import sys
from typing import Any, TextIO

from kubectl_imagebuild.screen_text import clean


class _Terminal:
    """A terminal that gets text only."""

    def __init__(self, raw: TextIO) -> None:
        self.raw = raw

    def write(self, text: str) -> int:
        """Write a text without what the terminal would obey."""
        self.raw.write("\n".join(map(clean, text.split("\n"))))
        return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - those of the stream
        return getattr(self.raw, name)


def protect() -> None:
    """Let nothing be written to a terminal that it would obey, and write any character in any encoding."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            continue
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
        if stream.isatty():
            setattr(sys, name, _Terminal(stream))


def raw(stream: TextIO) -> TextIO:
    """A stream for a program that writes escape sequences of its own, and cleans texts by itself."""
    return stream.raw if isinstance(stream, _Terminal) else stream


def drop_output() -> None:
    """Write nothing to standard output any more, since its reader has left: the end of Python would fail."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
