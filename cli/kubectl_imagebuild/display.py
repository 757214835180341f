"""Shows a build while it runs: as plain text or as JSON lines; terminal.py shows it on a terminal."""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Protocol, Self, TextIO

from imagebuild import Build, LogLine

from kubectl_imagebuild.forms import Progress
from kubectl_imagebuild.plain_text import PlainText
from kubectl_imagebuild.standard_streams import raw
from kubectl_imagebuild.text import ending, part_of, state_line

#: Seconds between two notes about an upload.
INTERVAL: Final = 2.0


class Display(Protocol):
    """Shows what happens; a context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def line(self, line: LogLine) -> None:
        """Show a line of the log."""

    def build(self, build: Build) -> None:
        """Show a change of the build, or its end."""

    def note(self, text: str) -> None:
        """Show what the user should know."""

    def sent(self, sent: int, size: int) -> None:
        """Show how many bytes of the build context have been sent."""


def choose(progress: Progress, out: TextIO, err: TextIO, dockerfile: str = "", *, sends: bool = False) -> Display:
    """The display for --progress; auto is tty on a terminal, and plain elsewhere.

    Args:
        progress: The value of --progress.
        out: Gets the log.
        err: Gets the rest.
        dockerfile: Text of the Dockerfile, if it is known.
        sends: Whether this program sends the build context: nobody is told how to.
    """
    if progress is Progress.RAWJSON:
        return RawJson(out)
    if progress is Progress.QUIET:
        return Quiet(out, err, dockerfile)
    if progress is Progress.TTY or (progress is Progress.AUTO and is_terminal(out)):
        from kubectl_imagebuild.terminal import Terminal  # noqa: PLC0415 - rich takes long to import

        return Terminal(raw(out), dockerfile, sends=sends)
    return Steps(out, err, dockerfile, sends=sends)


def is_terminal(out: TextIO) -> bool:
    """Whether lines can change in place."""
    return out.isatty() and os.environ.get("TERM", "dumb") not in {"", "dumb", "unknown"}


class _Context:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class _Sent:
    """Says now and then, and at the end, how much of the build context has been sent, and how fast."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._start, self._last, self._sent = say, 0.0, 0.0, 0

    def show(self, sent: int, size: int) -> None:
        """Take the progress."""
        now = time.monotonic()
        if sent < self._sent or not self._start:
            self._start = now
        self._sent = sent
        if sent < size and now - self._last < INTERVAL:
            return
        self._last = now
        seconds = max(now - self._start, 0.001)
        self._say(f"Sending the build context: {part_of(sent, size, seconds)}")


class Plain(_Context):
    """The log as it is on standard output, everything else on standard error."""

    def __init__(self, out: TextIO, err: TextIO, container: str = "") -> None:
        """Prepare the display.

        Args:
            out: Gets the log.
            err: Gets the rest.
            container: The only container whose log is shown; empty for all.
        """
        self._out, self._err, self._container = out, err, container
        self._last = ""
        self._sent = _Sent(self.note)

    def line(self, line: LogLine) -> None:
        """Show a line of the log."""
        if self._container in {"", line.container}:
            print_line(line, self._out)

    def build(self, build: Build) -> None:
        """Show a new state of the build, or its end."""
        text = ending(build, with_log=False) if build.is_finished else f"{state_line(build)}\n"
        if text != self._last:
            self._last = text
            print(text, end="", file=self._err, flush=True)

    def note(self, text: str) -> None:
        """Show what the user should know."""
        print(text, file=self._err, flush=True)

    def sent(self, sent: int, size: int) -> None:
        """Show now and then how much has been sent."""
        self._sent.show(sent, size)


class Steps(Plain):
    """The steps with their log on standard output, as BuildKit's plain progress; the end on standard error."""

    def __init__(self, out: TextIO, err: TextIO, dockerfile: str = "", *, sends: bool = False) -> None:
        super().__init__(out, err)
        self._steps = PlainText(sends=sends)
        self._dockerfile = dockerfile

    def line(self, line: LogLine) -> None:
        """Show a line of the log."""
        self._print(self._steps.log(line, datetime.now(UTC)))

    def build(self, build: Build) -> None:
        """Show how a change of the build changes its steps, or its end."""
        self._print(self._steps.change(build, datetime.now(UTC)))
        if build.is_finished:
            print(ending(build, with_log=False, dockerfile=self._dockerfile), end="", file=self._err, flush=True)

    def _print(self, lines: list[str]) -> None:
        for line in lines:
            print(line, file=self._out, flush=True)


class Quiet(_Context):
    """The digest of the image on standard output, or the failure on standard error."""

    def __init__(self, out: TextIO, err: TextIO, dockerfile: str = "") -> None:
        self._out, self._err, self._dockerfile = out, err, dockerfile

    def line(self, line: LogLine) -> None:
        """Show nothing."""

    def build(self, build: Build) -> None:
        """Show the end."""
        if build.succeeded:
            print(build.digest, file=self._out, flush=True)
        elif build.is_finished:
            print(ending(build, with_log=True, dockerfile=self._dockerfile), end="", file=self._err, flush=True)

    def note(self, text: str) -> None:
        """Show nothing."""

    def sent(self, sent: int, size: int) -> None:
        """Show nothing."""


class RawJson(_Context):
    """One JSON object per line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last_sent = 0.0

    def line(self, line: LogLine) -> None:
        """Show a line of the log."""
        time = line.time.isoformat() if line.time else None
        about = {"container": line.container, "pod": line.pod, "platform": line.platform, "attempt": line.attempt}
        self._print("log", {"time": time, "text": line.text, **about})

    def build(self, build: Build) -> None:
        """Show a change of the build."""
        self._print("status", {"name": build.name, "namespace": build.namespace, "status": dict(build.status)})

    def note(self, text: str) -> None:
        """Show what the user should know."""
        self._print("note", {"text": text})

    def sent(self, sent: int, size: int) -> None:
        """Show how much has been sent."""
        now = time.monotonic()
        if sent >= size or now - self._last_sent >= INTERVAL:
            self._last_sent = now
            self._print("upload", {"sent": sent, "size": size})

    def _print(self, kind: str, fields: dict[str, object]) -> None:
        print(json.dumps({"type": kind, **fields}), file=self._out, flush=True)


def print_line(line: LogLine, out: TextIO) -> None:
    """Print a line of the log."""
    print(f"[{line.platform}] {line.text}" if line.platform else line.text, file=out, flush=True)


def standard(to_error: bool) -> tuple[TextIO, TextIO]:  # noqa: FBT001 - one argument
    """Standard output and error; or error for both, if the output is for a program."""
    return (sys.stderr if to_error else sys.stdout), sys.stderr
