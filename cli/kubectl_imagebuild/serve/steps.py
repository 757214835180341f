"""The steps of a Dockerfile, read from the log of a build while it comes."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from imagebuild import LogLine
from imagebuild_vocabulary.log_lines import ProgressLine, message_of, parse_progress_line

from kubectl_imagebuild.log_messages import CACHED, FROM_CACHE, names_one_of

#: Before the messages of the executor.
_LEVEL: Final = re.compile(r"INFO\[\d{4,9}\] ", re.ASCII)
#: Characters of an instruction that are kept.
MAX_INSTRUCTION: Final = 500
#: Characters of a line that can announce a step.
_MAX_LINE: Final = 4096
#: Steps that are kept of one build.
MAX_STEPS: Final = 1000


@dataclass(slots=True)
class Step:
    """A step.

    Attributes:
        number: Its number among all steps that are built, from 1.
        of: How many there are.
        stage: Number of its stage, from 1.
        stages: How many stages there are.
        instruction: The instruction.
        line: Number of the line of the log with which it began, from 0.
        start: When it began.
        end: When the next one began, or the log ended; None while it runs.
        cached: Whether its layer came from the cache.
        platform: The platform; empty for a build of one.
        attempt: Number of the attempt, from 1.
    """

    number: int
    of: int
    stage: int
    stages: int
    instruction: str
    line: int
    start: datetime | None
    end: datetime | None = None
    cached: bool = False
    platform: str = ""
    attempt: int = 1


@dataclass(slots=True)
class StepLog:
    """Reads lines.

    Attributes:
        steps: The steps so far, in the order in which they began.
    """

    steps: list[Step] = field(default_factory=list)
    _open: dict[str, Step] = field(default_factory=dict)
    _cached: set[str] = field(default_factory=set)

    def read(self, line: LogLine, number: int) -> bool:
        """Read a line of the log; whether a step has started, ended or changed.

        Args:
            line: The line.
            number: Its number, from 0.
        """
        if line.container != "build":
            return self._close(line.pod, line.time)
        text = message_of(line.text) if len(line.text) <= _MAX_LINE else ""
        current = self._open.get(line.pod)
        if found := parse_progress_line(text):
            return self._announced(found, line, number)
        said = _LEVEL.sub("", text, count=1)
        # The executor looks ahead: it names these before their steps begin.
        if said.startswith(CACHED) and len(self._cached) < MAX_STEPS:
            self._cached.add(said.removeprefix(CACHED))
        elif current is not None and not current.cached and said.startswith(FROM_CACHE):
            current.cached = True
            return True
        return False

    def end(self, time: datetime | None) -> None:
        """End all steps: the log has ended."""
        for pod in tuple(self._open):
            self._close(pod, time)

    def _announced(self, found: ProgressLine, line: LogLine, number: int) -> bool:
        current = self._open.get(line.pod)
        if current is not None and (current.stage, current.number) == (found.stage, found.step):
            return False
        self._close(line.pod, line.time)
        if len(self.steps) >= MAX_STEPS:
            return False
        text = found.instruction[:MAX_INSTRUCTION]
        begun = Step(found.step, found.steps, found.stage, found.stages, text, number, line.time)
        begun.cached = names_one_of(text, self._cached)
        begun.platform, begun.attempt = line.platform, line.attempt
        self.steps.append(begun)
        self._open[line.pod] = begun
        return True

    def _close(self, pod: str, time: datetime | None) -> bool:
        step = self._open.pop(pod, None)
        if step is None:
            return False
        step.end = time or step.start
        return True


def message(text: str) -> str:
    """A line without what the builder puts before it, in either format of the log; other lines as they are."""
    return message_of(text) or text
