"""What the program says: progress on standard error, answers on standard output."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

TAIL_LINES = 15


class ClusterError(Exception):
    """An error for the user; only its message is printed."""


def say(line: str) -> None:
    """Print one line of progress."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def answer(line: str) -> None:
    """Print one line that a caller may want to use."""
    sys.stdout.write(f"{line}\n")


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print what is done and, at its end, how long it took."""
    say(f"{what} ...")
    start = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - start:.1f} s")


def tail(log: Path) -> str:
    """The last lines of a log, and its path."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join([f"last lines of {log}:", *(f"  {line}" for line in lines[-TAIL_LINES:])])


def run(argv: Sequence[str | Path], *, log: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """Run a program to its end and return its standard output; all it says goes to log, if given.

    Raises:
        ClusterError: it ended with an error; the message holds its last lines.
    """
    if log is None:
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ClusterError(f"{_shown(argv)} ended with {done.returncode}:\n{done.stderr.strip()}")
        return done.stdout
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as stream:
        code = subprocess.run(argv, env=environment, stdout=stream, stderr=stream, check=False).returncode
    if code:
        raise ClusterError(f"{_shown(argv)} ended with {code}; {tail(log)}")
    return ""


def _shown(argv: Sequence[str | Path]) -> str:
    return " ".join(str(word) for word in argv)
