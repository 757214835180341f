"""The steps of a build, from its log and the changes of its status. Pure: times are arguments.

A command of the Dockerfile can print lines that look like those of the shim: steps are shown, and decide nothing.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from imagebuild import Build, LogLine, Phase
from imagebuild_vocabulary.log_lines import ProgressLine, message_of, parse_progress_line
from imagebuild_vocabulary.names import WAITS_FOR_CONTEXT

from kubectl_imagebuild import log_messages
from kubectl_imagebuild.screen_text import clean
from kubectl_imagebuild.text import part_of

#: Last lines that are kept of a step.
TAIL: Final = 40
#: Steps that are kept of a pod: a command can print as many progress lines as it likes.
MOST_STEPS: Final = 1000
#: Characters of a line that are kept.
_LONGEST: Final = 2000
_NAMED: Final = re.compile(r"FROM .* AS (\S+)", re.IGNORECASE)


class State(StrEnum):
    """How a step stands."""

    RUNNING = "running"
    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Step:
    """A step of a build, or of what is around it.

    Attributes:
        title: What it does, such as [build 3/9] RUN make.
        start: When it began.
        number: Its place among all steps, from 1.
        state: How it stands.
        end: When it ended.
        detail: What is known besides, such as the bytes that were sent.
        is_cached: Whether what it makes is taken from the cache.
        lines: The end of its log.
        platform: Platform of its pod, such as linux-arm64; empty if there is only one.
        pod: Name of its pod; empty if it has none.
    """

    title: str
    start: datetime
    number: int = 0
    state: State = State.RUNNING
    end: datetime | None = None
    detail: str = ""
    is_cached: bool = False
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
    platform: str = ""
    pod: str = ""

    def finish(self, moment: datetime, state: State = State.DONE) -> None:
        """Record its end; a step that has ended stays as it is."""
        if self.state is State.RUNNING:
            self.state, self.end = state, max(moment, self.start)

    def seconds(self, now: datetime) -> float:
        """Seconds for which it has run up to its end, or up to now."""
        return max(((self.end or now) - self.start).total_seconds(), 0.0)


@dataclass(slots=True)
class _Pod:
    """Where the log of a pod is."""

    container: str = ""
    place: tuple[int, int] = (0, 0)
    last: datetime | None = None
    step: Step | None = None
    steps: int = 0
    cached: set[str] = field(default_factory=set)
    has_eliminated: bool = False
    stages: dict[int, str] = field(default_factory=dict)


class Board:
    """The steps of one build, in the order in which they began."""

    def __init__(self, *, sends: bool = False) -> None:
        """Expect a build.

        Args:
            sends: Whether this program sends the build context, so that nobody has to be told how.
        """
        self._sends = sends
        self.build: Build | None = None
        self.steps: list[Step] = []
        self.note = ""
        #: When it was first heard of, and when it had ended, by the clock of this machine.
        self.began: datetime | None = None
        self.ended: datetime | None = None
        self._pods: dict[str, _Pod] = {}
        self._waiting: Step | None = None
        self._upload: Step | None = None
        self._has_log = False
        #: How far the clock of this machine is ahead of that of the nodes, with the time that a line takes.
        self._ahead: timedelta | None = None

    def node_time(self, now: datetime) -> datetime:
        """The time of the clock of the nodes."""
        return now - (self._ahead or timedelta())

    def clock(self, step: Step, now: datetime) -> datetime:
        """The time of the clock that a step has its times from: that of its node, or that of this machine."""
        return self.node_time(now) if step.pod else now

    def change(self, build: Build, now: datetime) -> None:
        """Take a change of the build."""
        self.began = self.began or now
        attempts = len(build.status.get("attempts") or ())
        if self.build is not None and not build.is_finished and attempts > len(self.build.status.get("attempts") or ()):
            self._retry(build, now)
        self.build = build
        if build.is_finished:
            self._end(build, now)
            return
        title = _WAITING.get(build.phase)
        if title is None or (build.phase is Phase.PREPARING and self._is_busy):
            self._stop_waiting(now)
            return
        if build.phase is Phase.PREPARING and self._has_log:
            title = "[internal] start the next container"
        if self._waiting is None or self._waiting.title != title:
            self._stop_waiting(now)
            self._waiting = self._begin(title, now)
        is_told = self._sends and WAITS_FOR_CONTEXT in build.message
        self._waiting.detail = "" if is_told else clean(" ".join((build.message or build.reason).split()))

    def sent(self, sent: int, size: int, now: datetime) -> None:
        """Take the progress of the upload."""
        if self._upload is None or (self._upload.state is not State.RUNNING and sent < size):
            self._stop_waiting(now)
            self._upload = self._begin("[upload] send the build context", now)
        seconds = max((now - self._upload.start).total_seconds(), 0.001)
        self._upload.detail = part_of(sent, size, seconds)
        if sent >= size:
            self._upload.finish(now)

    def log(self, line: LogLine, now: datetime) -> Step:
        """Take a line of the log; the step that it belongs to."""
        moment = self._moment(line, now)
        self._has_log = True
        self._stop_waiting(now)
        if line.pod not in self._pods:
            self._replace(line, moment)
        pod = self._pods.setdefault(line.pod, _Pod())
        text = line.text[:_LONGEST]
        message = message_of(text)
        found = parse_progress_line(message) if line.container == "build" else None
        if found is not None:
            self._progress(pod, found, line, moment)
        elif pod.container != line.container or pod.step is None:
            self._next(pod, f"{_label(line)}{_CONTAINERS.get(line.container, line.container)}", line, moment)
        pod.container, pod.last = line.container, moment
        step = pod.step
        if step is None:
            raise RuntimeError("a line without a step")
        if message.startswith(log_messages.CACHED):
            pod.cached.add(" ".join(message.removeprefix(log_messages.CACHED).split()))
        elif message.startswith(log_messages.FROM_CACHE) and pod.place != (0, 0):
            step.is_cached = True
        elif message.startswith(log_messages.ELIMINATED):
            pod.has_eliminated = True
        elif log_messages.is_end(text):
            _close(step, moment)
        if not log_messages.is_chatter(message or text):
            step.lines.append(clean(message or text))
        return step

    @property
    def _is_busy(self) -> bool:
        """Whether something runs that says how it gets on."""
        return any(step.state is State.RUNNING for step in self.steps if step is not self._waiting)

    def _moment(self, line: LogLine, now: datetime) -> datetime:
        """When a line was written; learns how far the clock of the nodes is from that of this machine."""
        if line.time is not None:
            ahead = now - line.time
            self._ahead = ahead if self._ahead is None else min(self._ahead, ahead)
        return line.time or self.node_time(now)

    def _replace(self, line: LogLine, moment: datetime) -> None:
        """A pod follows another one of the same platform, which has failed then."""
        if line.container != "index":
            for step in self.steps:
                if step.pod and step.platform == line.platform:
                    step.finish(moment, State.FAILED)

    def _progress(self, pod: _Pod, found: ProgressLine, line: LogLine, moment: datetime) -> None:
        before = pod.place
        if (found.stage, found.step) == before:
            return
        pod.place = (found.stage, found.step)
        instruction = clean(found.instruction)
        if named := _NAMED.fullmatch(instruction):
            pod.stages[found.stage] = named[1]
        if pod.has_eliminated and found.stage > before[0] and found.step - before[1] > 1:
            # Nothing of these stages was built, since all that others copy from them is cached.
            steps = f"{before[1] + 1}-{found.step - 1}/{found.steps}"
            self._next(pod, f"{_label(line, steps)}not needed", line, moment, is_cached=True)
            pod.has_eliminated = False
        name = pod.stages.get(found.stage) or (f"stage {found.stage}/{found.stages}" if found.stages > 1 else "")
        title = f"{_label(line, f'{name} {found.step}/{found.steps}'.strip())}{instruction}"
        self._next(pod, title, line, moment, is_cached=log_messages.names_one_of(instruction, pod.cached))

    def _next(self, pod: _Pod, title: str, line: LogLine, moment: datetime, *, is_cached: bool = False) -> None:
        if pod.step is not None:
            _close(pod.step, moment if pod.container == line.container else pod.last or moment)
        if pod.steps >= MOST_STEPS and pod.step is not None:
            return
        pod.steps += 1
        pod.step = self._begin(title, moment)
        pod.step.platform, pod.step.pod, pod.step.is_cached = line.platform, line.pod, is_cached

    def _begin(self, title: str, moment: datetime) -> Step:
        step = Step(title, moment, len(self.steps) + 1)
        self.steps.append(step)
        return step

    def _stop_waiting(self, now: datetime) -> None:
        if self._waiting is not None:
            self._waiting.finish(now)
            self._waiting.detail = ""
            self._waiting = None

    def _retry(self, build: Build, now: datetime) -> None:
        """The pods of an attempt have failed, or were the first of two builds, and others follow."""
        attempts = list(build.status.get("attempts") or ({},))
        last = attempts[-1]
        state = State.DONE if "digest" in last else State.FAILED
        self._stop(state, now)
        self._upload, self._has_log = None, False
        why = clean(f"{last.get('reason') or ''}: {last.get('message') or ''}".strip(": "))
        step = self._begin(f"[attempt {len(attempts)}] {why}", now)
        step.finish(step.start, state)

    def _end(self, build: Build, now: datetime) -> None:
        state = {Phase.SUCCEEDED: State.DONE, Phase.FAILED: State.FAILED}.get(
            build.phase or Phase.FAILED, State.CANCELLED
        )
        self._stop(state, now)
        self.ended = self.ended or now

    def _stop(self, state: State, now: datetime) -> None:
        for step in self.steps:
            if step.state is State.RUNNING:
                pod = self._pods.get(step.pod) if state is State.DONE else None
                _close(step, (pod.last if pod else None) or self.clock(step, now), state)
        self._waiting = None


_WAITING: Final[dict[Phase | None, str]] = {
    None: "[internal] wait for an operator",
    Phase.PENDING: "[internal] wait for the next attempt",
    Phase.QUEUED: "[internal] wait for a turn",
    Phase.PREPARING: "[internal] start the pod",
}
_CONTAINERS: Final = {
    "check": "check push access",
    "build": "load the build context",
    "scan": "scan the image for vulnerabilities",
    "push": "push the image",
    "index": "push the index of all platforms",
}


def _label(line: LogLine, inner: str = "") -> str:
    platform = line.platform.replace("-", "/", 1)
    name = {"check": "check", "push": "push", "index": "push"}.get(line.container, "internal")
    return f"[{' '.join(part for part in (platform, inner or name) if part)}] "


def _close(step: Step, moment: datetime, state: State = State.DONE) -> None:
    step.finish(moment, State.CACHED if step.is_cached and state is State.DONE else state)
