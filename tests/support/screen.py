"""A program on a real terminal, and what is on its screen."""

import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pyte

CTRL_C = b"\x03"


class Screen:
    """The screen of a program that runs.

    Attributes:
        process: the program.
        raw: all that it wrote.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", terminal: int, columns: int, rows: int) -> None:
        self.process = process
        self.raw = b""
        self._terminal = terminal
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        """The lines of the screen, without blank ones at its end."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip().split("\n")

    def until(self, shown: str | Callable[[list[str]], bool], timeout: float = 120) -> list[str]:
        """Wait until a text is on the screen, or what is on it fits; the lines then."""
        end = time.monotonic() + timeout
        while True:
            lines = self.lines
            if shown in "\n".join(lines) if isinstance(shown, str) else shown(lines):
                return lines
            assert time.monotonic() < end, f"not within {timeout} s: {shown}; on the screen:\n" + "\n".join(lines)
            assert self._read(), f"the program has ended without {shown}; on the screen:\n" + "\n".join(lines)

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self._terminal, key)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the terminal."""
        ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)

    def end(self, timeout: float = 120) -> int:
        """Wait for the end of the program; its exit code."""
        end = time.monotonic() + timeout
        while self._read():
            assert time.monotonic() < end, f"not ended within {timeout} s; on the screen:\n" + "\n".join(self.lines)
        return self.process.wait(timeout)

    def _read(self) -> bool:
        """Show what the program has written since; False if it has ended."""
        if not select.select([self._terminal], [], [], 0.5)[0]:
            return True
        try:
            content = os.read(self._terminal, 65536)
        except OSError:  # nobody has the terminal open any more
            return False
        self.raw += content
        self._stream.feed(content)
        return bool(content)


@contextmanager
def on_terminal(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    directory: Path,
    *,
    columns: int = 160,
    rows: int = 50,
    term: str = "xterm-256color",
) -> Iterator[Screen]:
    """Run a program on a terminal of its own, on which keys can be pressed; it is killed at the end of the block."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    with subprocess.Popen(
        # The terminal controls the program, so that Ctrl-C reaches it.
        ["setsid", "--ctty", *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=directory,
        env={**environment, "TERM": term},
    ) as process:
        os.close(theirs)
        try:
            yield Screen(process, ours, columns, rows)
        finally:
            process.kill()
            os.close(ours)
