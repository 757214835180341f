"""The log of one build, kept for all readers of its page."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from imagebuild import AsyncClient, Build, DeletedError, ForbiddenError, ImageBuildError, LogLine, NotFoundError

from kubectl_imagebuild.serve.detail import milliseconds
from kubectl_imagebuild.serve.steps import Step, StepLog, message

if TYPE_CHECKING:
    from datetime import datetime

#: Lines and characters that are kept of one log: the last ones.
MAX_LINES: Final = 50_000
MAX_CHARACTERS: Final = 16_000_000
#: Characters of a line that are kept.
MAX_LINE: Final = 4000
#: Seconds until the next try after an error.
DELAY: Final = 3.0
#: Lines after which others get their turn.
_TURN: Final = 500

Entry = tuple[str, int | None, int]


class LogBuffer:
    """Reads the log of a build and keeps it: the pods of succeeded builds are deleted, and their logs with them.

    Attributes:
        uid: uid of the build.
        first: Number of the first line that is kept, from 0.
        streams: Where lines come from: container, platform and attempt; lines have an index of these.
        steps: The steps.
        changes: Counts changes of the steps and of the state.
        has_ended: Whether all lines have been read.
        problem: Why no more lines can be read at the moment; empty if they can.
    """

    def __init__(self, uid: str, notify: Callable[[], None]) -> None:
        """Be empty.

        Args:
            uid: uid of the build.
            notify: Called after each change.
        """
        self.uid = uid
        self.first = 0
        self.streams: list[tuple[str, str, int]] = []
        self.steps = StepLog()
        self.changes = 1
        self.has_ended = False
        self.problem = ""
        self._lines: deque[Entry] = deque()
        self._characters = 0
        self._read: Counter[tuple[str, str]] = Counter()
        self._last: datetime | None = None
        self._notify = notify

    @property
    def end(self) -> int:
        """Number of the line that comes next."""
        return self.first + len(self._lines)

    def page(self, start: int, most: int) -> list[Entry]:
        """Lines from a number on: text, milliseconds since 1970, and index of the stream."""
        begin = max(start - self.first, 0)
        return [self._lines[index] for index in range(begin, min(begin + most, len(self._lines)))]

    async def follow(self, client: AsyncClient, name: str) -> None:
        """Read the log up to the end of the build, whatever happens to connections."""
        while not self.has_ended:
            try:
                await self._follow(client, name)
                self._say("", ended=True)
            except (DeletedError, NotFoundError):
                self._say("", ended=True)
            except ForbiddenError as error:
                self._say(f"{error.message} {error.hint}".strip(), ended=True)
            except ImageBuildError as error:
                self._say(error.message)
                await asyncio.sleep(DELAY)

    async def _follow(self, client: AsyncClient, name: str) -> None:
        # Each container's log is read from its beginning again.
        again = Counter(self._read)
        count = 0
        async for item in client.follow(name):
            if isinstance(item, Build):
                if item.uid != self.uid:
                    return
                continue
            source = (item.pod, item.container)
            if again[source]:
                again[source] -= 1
                continue
            self._read[source] += 1
            self.add(item)
            count += 1
            if count % _TURN == 0:
                await asyncio.sleep(0)

    def add(self, line: LogLine) -> None:
        """Keep a line; the first ones are dropped if there are too many."""
        stream = (line.container, line.platform, line.attempt)
        if stream not in self.streams:
            self.streams.append(stream)
        if self.steps.read(line, self.end):
            self.changes += 1
        if self.problem:
            self._say("")
        text = message(line.text)
        text = text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]} … (the line has {len(text)} characters)"
        self._lines.append((text, milliseconds(line.time), self.streams.index(stream)))
        self._characters += len(text)
        self._last = line.time or self._last
        while len(self._lines) > MAX_LINES or self._characters > MAX_CHARACTERS:
            self._characters -= len(self._lines.popleft()[0])
            self.first += 1
        self._notify()

    def _say(self, problem: str, *, ended: bool = False) -> None:
        if ended:
            self.steps.end(self._last)
        self.problem, self.has_ended = problem, ended
        self.changes += 1
        self._notify()

    def state(self) -> dict[str, Any]:
        """The steps and the state, as the page gets them."""
        return {
            "steps": [_step(step) for step in self.steps.steps],
            "streams": [list(stream) for stream in self.streams],
            "ended": self.has_ended,
            "problem": self.problem,
            "first": self.first,
            "end": self.end,
        }


def _step(step: Step) -> dict[str, Any]:
    return {
        "number": step.number,
        "of": step.of,
        "stage": step.stage,
        "stages": step.stages,
        "instruction": step.instruction,
        "line": step.line,
        "start": milliseconds(step.start),
        "end": milliseconds(step.end),
        "cached": step.cached,
        "platform": step.platform,
        "attempt": step.attempt,
    }
