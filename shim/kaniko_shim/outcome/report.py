"""Writes the result: to the termination message, to a file, and as the last lines of the log."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kaniko_shim.log.console import Console
from kaniko_shim.outcome.result import Result, encode
from kaniko_shim.system.subcommand import Command


class Reports:
    """Writes the result to its destinations; the termination log is opened before a build can change it."""

    def __init__(self, termination_log: Path, result_file: str) -> None:
        self._result_file = result_file
        self._termination_log: int | None = None
        with suppress(OSError):
            # Only if it exists: Kubernetes creates it, and reads it.
            self._termination_log = os.open(termination_log, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def write(self, result: Result, console: Console) -> None:
        """Write the result to every destination."""
        content = encode(result, console.masker.mask)
        if self._termination_log is not None:
            with suppress(OSError):
                os.ftruncate(self._termination_log, 0)
                os.pwrite(self._termination_log, content, 0)
        if self._result_file:
            try:
                _write_file(Path(self._result_file), content + b"\n")
            except OSError as error:
                console.say(f"RESULT_FILE={self._result_file} can't be written: {error.strerror}")
        for line in summary(result, console.masker.mask):
            console.say(line)


def summary(result: Result, mask: Callable[[str], str]) -> list[str]:
    """The result in a few lines for the log, with secrets masked before a line is cut."""
    seconds = (result.timings.total or 0) / 1000
    failure = result.failure
    if failure is None:
        lines = [f"pushed {image.reference} ({image.digest}, {_size(image.size)})" for image in result.images]
        return [*lines, f"done in {seconds:.1f} s{_counted(result.warnings)}{_next_step(result)}"]
    lines = [f"FAILED after {seconds:.1f} s, {failure.reason}: {failure.message}"]
    if failure.instruction:
        where = f"line {failure.line}: " if failure.line else ""
        lines.append(f"at {where}{mask(failure.instruction)[:300]}")
    return [*lines, failure.advice]


def _counted(warnings: tuple[str, ...]) -> str:
    return f", with {len(warnings)} warning{'s' * (len(warnings) > 1)} (see above)" if warnings else ""


def _next_step(result: Result) -> str:
    if result.images:
        reference, digest = result.images[0].reference, result.images[0].digest
        return f"; to run exactly this image, name {reference.partition('@')[0]}@{digest}"
    return "; kaniko-shim push takes the image from here" if result.command == Command.BUILD else ""


def _size(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size else "size unknown"


def _write_file(path: Path, content: bytes) -> None:
    # A RUN step may have put a link or a named pipe in its place.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o644), "wb") as stream:
        stream.write(content)
