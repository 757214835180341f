"""The progress of a running build, read from the end of its log.

The shim writes a line whenever a step begins, and again after many lines of output. A RUN can write such a line too:
progress is shown to people and decides nothing.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from imagebuild_vocabulary.log_lines import message_of, parse_progress_line

from imagebuild_operator.api.redact import UNSHOWN, redact
from imagebuild_operator.observe.pod import PodFacts

#: Seconds from the start of the build until its log is first read; the log of a shorter build is never read.
FIRST: Final = 5.0
#: The longest interval between two reads, in seconds. Shorter ones double: each is as long as the build has run.
LONGEST: Final = 120.0
#: Characters of an instruction that are kept.
MAX_INSTRUCTION: Final = 200
#: Characters of a line that is parsed. The shim's own lines are far shorter; a longer one was written by a RUN.
MAX_LINE: Final = 4096

#: The kubelet's timestamp at the start of a line; the fraction of a second is dropped.
_TIME: Final = re.compile(
    r"(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?(?P<zone>Z|[+-]\d\d:\d\d) ", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Log:
    """What is known of the log of a build's pod.

    Attributes:
        text: Its end if it has just been read, else None.
        read: When the last read was tried.
    """

    text: str | None = None
    read: datetime | None = None


#: A log that has never been read.
UNREAD: Final = Log()


@dataclass(frozen=True, slots=True)
class Progress:
    """The step that a build is at: the third of nine, in the first of two stages, for example.

    Attributes:
        step: Number of the step among all steps that are built, from 1.
        steps: How many steps are built.
        stage: Number of its stage among the stages that are built, from 1.
        stages: How many stages are built.
        instruction: The instruction of the step, cut.
        start: When the step began, or the earliest sign of it in the log; None if the log has no timestamps.
    """

    step: int
    steps: int
    stage: int
    stages: int
    instruction: str | None = None
    start: datetime | None = None

    def is_same_step(self, other: "Progress | None") -> bool:
        """Whether another read has seen the same step."""
        return other is not None and (self.stage, self.step) == (other.stage, other.step)


def next_read(pod: PodFacts, last: datetime | None) -> datetime | None:
    """When to read the log of a pod next; None if its build does not run.

    Args:
        pod: The pod.
        last: When the last read was tried; None before the first.
    """
    started = pod.build.started
    if started is None or not pod.build.is_running or not pod.is_alive:
        return None
    if last is None:
        return started + timedelta(seconds=FIRST)
    passed = (last - started).total_seconds()
    return last + timedelta(seconds=min(max(passed, FIRST), LONGEST))


def parse_progress(log: str) -> Progress | None:
    """The last step in a log, or in the end of one; None if there is none.

    Args:
        log: The lines, each after the kubelet's timestamp (`timestamps=true`).
    """
    last: Progress | None = None
    for line in reversed(log.split("\n")):
        seen = _parse_line(line) if len(line) <= MAX_LINE and "progress: " in line else None
        if seen is None:
            continue
        if last is None:
            last = seen
        elif last.is_same_step(seen):
            last = replace(last, start=seen.start)
        else:
            break
    return last


def _parse_line(line: str) -> Progress | None:
    time = _TIME.match(line)
    seen = parse_progress_line(message_of(line[time.end() :] if time else line, own=True))
    if seen is None:
        return None
    text = redact(" ".join(UNSHOWN.sub(" ", seen.instruction).split()))[:MAX_INSTRUCTION]
    return Progress(seen.step, seen.steps, seen.stage, seen.stages, text or None, _moment(time) if time else None)


def _moment(time: re.Match[str]) -> datetime | None:
    try:
        return datetime.fromisoformat(time["moment"] + time["zone"])
    except ValueError:
        return None
