"""The lines of a build's log that programs read.

A RUN can print such lines, too: they are shown to people, and decide nothing.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

#: Begins the shim's own lines in the log format `text`.
OWN: Final = "kaniko-shim: "

#: What the shim writes in the log format `json`.
_FIELDS: Final = frozenset({"time", "phase", "stream", "message"})
_PROGRESS: Final = re.compile(
    r'progress: stage=(\d{1,6})/(\d{1,6}) step=(\d{1,6})/(\d{1,6})(?: instruction="(.*)")?', re.ASCII | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class ProgressLine:
    """The start of a step.

    Attributes:
        stage: Number of its stage among those that are built, from 1.
        stages: Number of stages.
        step: Its number among all steps, from 1.
        steps: Number of steps.
        instruction: The instruction, which … ends if it is cut.
    """

    stage: int
    stages: int
    step: int
    steps: int
    instruction: str

    def __str__(self) -> str:
        """The message of the log."""
        place = f"stage={self.stage}/{self.stages} step={self.step}/{self.steps}"
        return f'progress: {place} instruction="{self.instruction}"'


def parse_progress_line(message: str) -> ProgressLine | None:
    """The progress line that a message is; None if it is another."""
    found = _PROGRESS.fullmatch(message)
    if found is None:
        return None
    return ProgressLine(int(found[1]), int(found[2]), int(found[3]), int(found[4]), found[5] or "")


def message_of(line: str, *, own: bool = False) -> str:
    """The text of a line in either log format; empty for other lines of JSON.

    Args:
        line: The line.
        own: Whether only what the shim itself says is meant, where the line tells.
    """
    if not line.startswith("{"):
        return line.strip().removeprefix(OWN)
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict) or document.keys() != _FIELDS or (own and document["stream"] != "shim"):
        return ""
    return str(document["message"])
