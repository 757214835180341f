"""What lines of the log say: those of the shim, and those of the executor."""

import json
import re
from dataclasses import dataclass
from typing import Final

#: Begins the message of an instruction whose layer the cache has.
CACHED: Final = "Using caching version of cmd: "
#: Begins the message of a step that takes its files from the cache.
FROM_CACHE: Final = "Found cached layer, extracting"
#: Begins the message of a stage that is not built, since all that others copy from it is cached.
ELIMINATED: Final = "Eliminating stage "

_PROGRESS: Final = re.compile(
    r'progress: stage=(\d{1,6})/(\d{1,6}) step=(\d{1,6})/(\d{1,6})(?: instruction="(.*)")?', re.DOTALL
)
_OWN: Final = "kaniko-shim: "
_DONE: Final = re.compile(r"done in [\d.]+ s.*")
_CHATTER: Final = re.compile(
    r"(?:progress: stage=|active feature flags: |credential providers by priority: |Retrieving image |Returning cached "
    r"|Checking for cached layer |No cached layer found for cmd |Using caching version of cmd: |Cache hit via "
    r"|shared-base: |Built cross stage deps: |Resolved base name |Using dockerignore file: |Building stage '"
    r"|Eliminating stage |Cmd: |Args: \[|Running: \[|Pushing layer |Pushing cache pointer |Pushed |Found cached layer, "
    r"|Initializing snap|Taking snapshot |Unpacking rootfs |Deleting filesystem|Storing source image |Saving file "
    r"|Pushing image to |done in [\d.]+ s"
    r"|(?:RUN|COPY|ADD|ENV|ARG|LABEL|WORKDIR|USER|EXPOSE|VOLUME|ENTRYPOINT|CMD|SHELL|STOPSIGNAL|HEALTHCHECK) )"
)


@dataclass(frozen=True, slots=True)
class ProgressLine:
    """The start of a step: see the builder image's documentation of progress lines.

    Attributes:
        stage: Number of its stage, from 1.
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


def message(line: str) -> str:
    """The text of a line in either log format; empty for other lines of JSON."""
    if not line.startswith("{"):
        return line.strip().removeprefix(_OWN)
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    return str(document.get("message", "")) if isinstance(document, dict) else ""


def progress(text: str) -> ProgressLine | None:
    """The progress line that a message is; None if it is another."""
    found = _PROGRESS.fullmatch(text)
    if found is None:
        return None
    return ProgressLine(int(found[1]), int(found[2]), int(found[3]), int(found[4]), found[5] or "")


def is_end(line: str) -> bool:
    """Whether the shim says that a container has done its work."""
    return line.startswith((_OWN, "{")) and _DONE.fullmatch(message(line)) is not None


def is_chatter(text: str) -> bool:
    """Whether the executor or the shim says what it does, as opposed to output of a command and to failures."""
    return _CHATTER.match(text) is not None


def names_one_of(instruction: str, cached: set[str]) -> bool:
    """Whether an instruction, which may be cut, is among others."""
    if instruction.endswith("…"):
        return any(each.startswith(instruction[:-1]) for each in cached)
    return instruction in cached
