"""Runs a program to its end: relays its output, forwards signals, and leaves no process behind."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

from kaniko_shim.log.lines import Lines
from kaniko_shim.log.masking import Masker
from kaniko_shim.system.processes.children import reap, signal_all
from kaniko_shim.system.processes.invocation import Invocation
from kaniko_shim.system.processes.leftovers import end_orphans, end_others, live_child
from kaniko_shim.system.processes.signals import STOPPING, raise_if_stopped

GRACE = 5.0
"""Seconds between a polite signal and SIGKILL."""

_LEFTOVERS = 5.0
_READ = 64 * 1024
# A step begins right after the program has said so.
_SOON, _LOOK = 1.0, 0.02
_STDIN, _STDOUT, _STDERR = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        code: its exit code; None if a signal killed it.
        signal: the signal that killed it; 0 if it exited.
        stopped_by: the signal that stopped the job while it ran; 0 if none.
    """

    code: int | None
    signal: int = 0
    stopped_by: int = 0


def run(
    command: Invocation,
    *,
    on_line: Callable[[str], None],
    on_silence: Callable[[], None],
    silence: float,
    masker: Masker | None = None,
    grace: float = GRACE,
    on_start: Callable[[int], None] = lambda _: None,
    ends_steps: bool = False,
) -> Ended:
    """Run a program in a process group of its own, with both outputs in one stream.

    It must be called in the main thread. When it returns, no process that the program started is alive.

    Args:
        command: what to run.
        on_line: gets each line of the output.
        on_silence: is called after each stretch without output.
        silence: the length of that stretch, in seconds.
        masker: knows the secrets, none of which is cut in two where a line is too long.
        grace: seconds between a polite signal and SIGKILL.
        on_start: gets the program's process ID.
        ends_steps: whether each child of the program is a step: all that it leaves running is ended when it has ended.

    Raises:
        CancelledError: a signal had stopped this process before.
        LeftoverError: a process that the program started can't be ended.
    """
    return _Run(command, Lines(on_line, masker or Masker()), on_silence, silence, grace, ends_steps=ends_steps).run(
        on_start
    )


class _Run:
    def __init__(
        self,
        command: Invocation,
        lines: Lines,
        on_silence: Callable[[], None],
        silence: float,
        grace: float,
        *,
        ends_steps: bool,
    ) -> None:
        self._command = command
        self._lines = lines
        self._on_silence = on_silence
        self._silence = silence
        self._grace = grace
        self._status: int | None = None
        self._stopped_by = 0
        self._deadline: float | None = None
        self._heard = time.monotonic()
        self._ends_steps = ends_steps
        self._step = -1

    def run(self, on_start: Callable[[int], None]) -> Ended:
        raise_if_stopped()
        with _signals(self._on_signal) as wakeup:
            self._pid, output = _start(self._command)
            try:
                on_start(self._pid)
                try:
                    self._follow(output, wakeup)
                finally:
                    self._end_leftovers(output)
            finally:
                os.close(output)
        return self._ended()

    def _follow(self, output: int, wakeup: int) -> None:
        poll = select.poll()
        poll.register(wakeup, select.POLLIN)
        poll.register(output, select.POLLIN)
        while self._status is None:
            ready = dict(poll.poll(self._timeout()))
            if wakeup in ready:
                _dispatch(wakeup, self._on_signal)
            if output in ready and not self._read(output):
                poll.unregister(output)
            self._reap()
            if self._ends_steps and self._status is None:
                self._follow_steps(poll, ready)
            self._check_clock()

    def _follow_steps(self, poll: select.poll, ready: Mapping[int, int]) -> None:
        if self._step >= 0:
            if self._step not in ready:
                return
            poll.unregister(self._step)
            os.close(self._step)
            self._step = -1
        end_orphans(self._pid)
        with suppress(ProcessLookupError):
            if child := live_child(self._pid):
                self._step = os.pidfd_open(child)
                poll.register(self._step, select.POLLIN)

    def _timeout(self) -> float:
        moments = [self._heard + self._silence]
        if self._ends_steps and self._step < 0 and (now := time.monotonic()) < self._heard + _SOON:
            moments.append(now + _LOOK)
        if self._deadline is not None:
            moments.append(self._deadline)
        return max(0, min(moments) - time.monotonic()) * 1000 + 1

    def _on_signal(self, number: int) -> None:
        if number in STOPPING and not self._stopped_by:
            self._stopped_by = number
            self._deadline = time.monotonic() + self._grace
            signal_all(signal.SIGTERM)

    def _check_clock(self) -> None:
        now = time.monotonic()
        if self._deadline is not None and now >= self._deadline:
            self._deadline = now + self._grace
            signal_all(signal.SIGKILL)
        if now >= self._heard + self._silence:
            self._heard = now
            self._on_silence()

    def _read(self, output: int) -> bool:
        content = os.read(output, _READ)
        self._heard = time.monotonic()
        self._lines.feed(content)
        return bool(content)

    def _reap(self) -> None:
        for pid, status in reap():
            # Every other child is an orphan that was handed to this process.
            if pid == self._pid:
                self._status = status

    def _end_leftovers(self, output: int) -> None:
        """Kill the processes that the program left running, then read the rest of the output."""
        if self._step >= 0:
            os.close(self._step)
        end_others(())
        deadline = time.monotonic() + _LEFTOVERS
        while time.monotonic() < deadline:
            ready, _, _ = select.select([output], [], [], 0.05)
            if ready and not self._read(output):
                break
            self._reap()
        self._reap_all(deadline)
        self._lines.end()

    def _reap_all(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            self._reap()
            try:
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            time.sleep(0.01)

    def _ended(self) -> Ended:
        status = self._status if self._status is not None else 0
        if os.WIFSIGNALED(status):
            return Ended(None, os.WTERMSIG(status), self._stopped_by)
        return Ended(os.waitstatus_to_exitcode(status), 0, self._stopped_by)


def _spawn(command: Invocation, output: int) -> int:
    # Python ignores these two, and a child would inherit that.
    defaults = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD]
    return os.posix_spawn(
        command.argv[0],
        command.argv,
        command.environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, _STDIN, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, _STDOUT),
            (os.POSIX_SPAWN_DUP2, output, _STDERR),
        ],
        setpgroup=0,
        setsigdef=defaults,
    )


def _start(command: Invocation) -> tuple[int, int]:
    """Start a program: its process ID, and where its output is read."""
    reader, writer = os.pipe()
    try:
        return _spawn(command, writer), reader
    except BaseException:
        os.close(reader)
        raise
    finally:
        # Once only: another thread may have the same number a moment later.
        os.close(writer)


@contextmanager
def _signals(on_signal: Callable[[int], None]) -> Iterator[int]:
    """A descriptor from which the numbers of arriving signals can be read; the rest is dispatched at the end."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """The number arrives through the pipe."""

    before = {number: signal.signal(number, ignore) for number in (*STOPPING, signal.SIGCHLD)}
    wakeup_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        # Held back, so that none gets lost between the two kinds of handlers.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        signal.set_wakeup_fd(wakeup_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        _dispatch(reader, on_signal)
        os.close(reader)
        os.close(writer)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _dispatch(wakeup: int, on_signal: Callable[[int], None]) -> None:
    with suppress(BlockingIOError):
        for number in os.read(wakeup, _READ):
            on_signal(number)
