"""How far a running build is, read from the end of its log.

The shim writes a line whenever another step begins, and again after many lines of output. A RUN can write such a line
too: what is read here is shown and decides nothing.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from imagebuild_operator.api.redact import redact
from imagebuild_operator.observe.pod import PodFacts

#: Seconds from the start of the build until its log is first read; a short build ends unread.
FIRST: Final = 5.0
#: Seconds between two reads at most. Up to there each wait is as long as the build has run, so that they double.
LONGEST: Final = 120.0
#: Characters of an instruction that are kept.
MAX_INSTRUCTION: Final = 200

_LINE: Final = re.compile(
    r"progress: stage=(?P<stage>\d{1,6}/\d{1,6}) step=(?P<step>\d{1,6})/(?P<of>\d{1,6})"
    r'(?: instruction="(?P<text>.*)")?',
    re.ASCII | re.DOTALL,
)
#: What the shim's own lines begin with in a log of text.
_OWN: Final = "kaniko-shim: "
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Log:
    """What is known of the log of a build's pod.

    Attributes:
        text: Its end, where it has just been read; None where it has not, or could not be.
        read: When that was tried last.
    """

    text: str | None = None
    read: datetime | None = None


#: Of a log that has never been read.
UNREAD: Final = Log()


@dataclass(frozen=True, slots=True)
class Progress:
    """The step that a build is at: the third of nine in stage `1/2`, for example."""

    stage: str
    step: int
    of: int
    instruction: str | None = None


def next_read(pod: PodFacts, last: datetime | None) -> datetime | None:
    """When the log of a pod is to be read; None where it is not, since its build does not run.

    Args:
        pod: The pod.
        last: When it was tried last.
    """
    started = pod.build.started
    if started is None or not pod.build.is_running or not pod.is_alive:
        return None
    if last is None:
        return started + timedelta(seconds=FIRST)
    passed = (last - started).total_seconds()
    return last + timedelta(seconds=min(max(passed, FIRST), LONGEST))


def parse_progress(log: str) -> Progress | None:
    """The last step that a log, or its end, tells of; None where it tells of none."""
    for line in reversed(log.split("\n")):
        if "progress: " in line and (found := _LINE.fullmatch(_message(line))):
            text = found["text"] and redact(_CONTROL.sub(" ", found["text"]))[:MAX_INSTRUCTION]
            return Progress(found["stage"], int(found["step"]), int(found["of"]), text or None)
    return None


def _message(line: str) -> str:
    """The text of a line in either of the log's formats."""
    if not line.startswith("{"):
        return line.strip().removeprefix(_OWN)
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    is_own = isinstance(document, dict) and document.get("stream", "shim") == "shim"
    return str(document.get("message", "")) if is_own else ""
