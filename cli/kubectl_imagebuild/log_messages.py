"""What lines of the log say: those of the shim, and those of the executor."""

import re
from typing import Final

from imagebuild_vocabulary.log_lines import OWN, message_of

#: Begins the message of an instruction whose layer the cache has.
CACHED: Final = "Using caching version of cmd: "
#: Begins the message of a step that takes its files from the cache.
FROM_CACHE: Final = "Found cached layer, extracting"
#: Begins the message of a stage that is not built, since all that others copy from it is cached.
ELIMINATED: Final = "Eliminating stage "

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


def is_end(line: str) -> bool:
    """Whether the shim says that a container has done its work."""
    return line.startswith((OWN, "{")) and _DONE.fullmatch(message_of(line)) is not None


def is_chatter(text: str) -> bool:
    """Whether the executor or the shim says what it does, as opposed to output of a command and to failures."""
    return _CHATTER.match(text) is not None


def names_one_of(instruction: str, cached: set[str]) -> bool:
    """Whether an instruction, which may be cut, is among others."""
    if instruction.endswith("…"):
        return any(each.startswith(instruction[:-1]) for each in cached)
    return instruction in cached
