"""Follows the executor's log: its phase, its instruction, and cache hits and misses."""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable

from kaniko_shim.dockerfile.steps import Steps, StepTracker
from kaniko_shim.engines.kaniko.executor.last_words import LastWords
from kaniko_shim.engines.kaniko.executor.lookups import Lookups, count_bounded
from kaniko_shim.engines.kaniko.executor.record import Part
from kaniko_shim.outcome.evidence import Tried
from kaniko_shim.outcome.registry_answer import is_missing
from kaniko_shim.outcome.result import CacheReport

_INSTRUCTION = re.compile(
    r"(?:RUN|COPY|ADD|FROM|ENV|ARG|LABEL|WORKDIR|USER|EXPOSE|VOLUME|ENTRYPOINT|CMD|SHELL|STOPSIGNAL|HEALTHCHECK"
    r"|ONBUILD|MAINTAINER) .*",
    re.DOTALL,
)
_MOST_MIRRORS = 20
# A stage that is built in one with its base has the index of the last of both.
_STAGE = re.compile(r"Building stage '.*' \[idx: '(\d{1,4})', base-idx: '-?\d+'\]")
_SKIPPED_STAGE = re.compile(r"Eliminating stage '.*' \[idx: '(\d{1,4})'\], all consumers are served from cache")
_RUNNING = "Running: ["
_CACHE_HIT = "Using caching version of cmd: "
_CACHE_MISS = "No cached layer found for cmd "
_CACHE_WARNING = "Error uploading layer to cache: "
# An instruction that changed nothing has no layer to upload.
_HARMLESS = re.compile(r"open : no such file or directory\s*$")

_TRIGGERS = re.compile(r"Executing (?!0 )\d+ build triggers")
_FROM_CONTEXT = re.compile(r"(?:COPY|ADD) (?!.*\.\./\.)")
_NOTHING_TO_COPY = "No files to copy"
_MIRROR = re.compile(
    r"Failed to retrieve image (\S+) from (?:re)?mapped registry (\S+): (.*?)(?:\. Will try with.*)?", re.DOTALL
)

# What it logs between its request for an image and the answer.
_WHILE_PULLING = ("Retrieving image ", "Retrying operation ", "credential providers by priority: ")

_PUSH = "Pushing image to "
_PULL = "Retrieving image manifest "
_PHASES = (
    (_PULL, "looking for the base image {rest}"),
    ("Unpacking rootfs as cmd ", "unpacking the base image"),
    ("Initializing snapshotter", "taking a snapshot of the base image"),
    ("Taking snapshot of ", "taking a snapshot of the file system"),
    ("Pushing layer ", "pushing a layer to the cache"),
    (_PUSH, "pushing the image to {rest}"),
    ("Deleting filesystem", "cleaning up after a stage"),
    ("Storing source image from stage ", "keeping a stage's image"),
    ("Saving file ", "keeping a stage's files"),
    ("Found cached layer, extracting", "unpacking a cached layer"),
    ("Checking for cached layer ", "asking the cache"),
)


class Progress:
    """What is known about a run of the executor from its log.

    Attributes:
        phase: what it is doing; empty before it is known.
        instruction: the last instruction that it began, as the Dockerfile has it; empty before the first.
        occurrence: how often an instruction with that text has started.
        triggers: whether a base image has triggers (ONBUILD).
        steps: follows the current step.
        pushing: whether the push of the image has started.
        image: the image that it is requesting from a registry; empty if it is not.
        mirrors: the mirrors that did not deliver that image, in order.
        warnings: problems that the user should know about; the reader clears the list.
    """

    def __init__(
        self, outputs: Iterable[str] = (), steps: Steps | None = None, mask: Callable[[str], str] = str
    ) -> None:
        """Args: `outputs` are the names of the images to push, `mask` hides secrets before a text is shortened."""
        self._outputs = frozenset(outputs)
        self.phase = ""
        self.instruction = ""
        self.occurrence = 0
        self.steps = StepTracker(steps or Steps())
        self.triggers = False
        self.pushing = False
        self.image = ""
        self.mirrors = deque[Tried](maxlen=_MOST_MIRRORS)
        self.warnings = list[str]()
        self._begun = Counter[int]()
        self._last_words = LastWords(mask)
        self._next_stage = 0
        self._skipped = set[int]()
        self._looking_ahead = True
        self._hits = Lookups()
        self._misses = Lookups()

    @property
    def error(self) -> str:
        """The last words, if it failed; they may include output of a RUN that looks like an error."""
        return self._last_words.text

    @property
    def cache(self) -> CacheReport:
        """Cached layers found and not found so far."""
        return CacheReport(self._hits.number, self._misses.number)

    def read(self, part: Part) -> None:
        """Read a part of the log."""
        if part.record is None:
            self._last_words.add(part.text)
        else:
            self._last_words.end(part.record)
            self._note(part.record.message)

    @property
    def _copies(self) -> bool:
        """Whether it is at a COPY or ADD. It looks for files before the instruction begins, too, in another phase."""
        # It does not count what is not below the context, where the shim prepares files.
        return self.phase == self._step and bool(_FROM_CONTEXT.match(self.instruction))

    @property
    def _step(self) -> str:
        return f"at {self.instruction}"

    def _note(self, message: str) -> None:
        self._note_stage(message)
        self._note_image(message)
        if message.startswith(_CACHE_HIT):
            self._hits.add(message[len(_CACHE_HIT) :], ahead=self._looking_ahead)
        elif message.startswith(_CACHE_MISS):
            self._misses.add(message[len(_CACHE_MISS) :], ahead=self._looking_ahead)
        elif message.startswith(_CACHE_WARNING) and not _HARMLESS.search(message):
            self.warnings.append("A layer could not be added to the cache: " + message[len(_CACHE_WARNING) :])
        elif message == _NOTHING_TO_COPY and self._copies:
            self.warnings.append(f"{self.instruction} copies nothing: no file matches")
        elif _INSTRUCTION.fullmatch(message):
            self.instruction = " ".join(message.split())
            self.occurrence = self._count(self.instruction)
            self.steps.enter(self.instruction)
            self.phase = self._step
            return
        elif message.startswith(_RUNNING):
            self.phase = self._step
            return
        for start, phase in _PHASES:
            if message.startswith(start):
                self.phase = phase.format(rest=message[len(start) :])
                # Pushing a layer to the cache begins with the same words.
                self.pushing = self.pushing or (start == _PUSH and message[len(start) :] in self._outputs)
                return

    def _count(self, instruction: str) -> int:
        """How often an instruction has started. Counted by hash, since the text may be long."""
        count_bounded(self._begun, instruction)
        return self._begun[hash(instruction)] or 1

    def _note_stage(self, message: str) -> None:
        self.triggers = self.triggers or bool(_TRIGGERS.fullmatch(message))
        if match := _STAGE.fullmatch(message):
            while self._next_stage in self._skipped:
                self._next_stage += 1
            self.steps.enter_stage(self._next_stage)
            self._next_stage = int(match[1]) + 1
            self._looking_ahead = False
        elif match := _SKIPPED_STAGE.fullmatch(message):
            self._skipped.add(int(match[1]))

    def _note_image(self, message: str) -> None:
        if message.startswith(_PULL):
            self.image = message[len(_PULL) :]
            self.mirrors.clear()
        elif match := _MIRROR.fullmatch(message):
            self.mirrors.append(Tried(match[2], match[3]))
            # It is normal that one of several mirrors does not have an image.
            if not is_missing(match[3]):
                self.warnings.append(f"The mirror {match[2]} did not deliver {match[1]}: {match[3]}")
        elif not message.startswith(_WHILE_PULLING):
            self.image = ""
