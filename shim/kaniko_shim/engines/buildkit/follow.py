"""Follows a build: relays what its steps print to the log, and its steps, cache hits and warnings to the job."""

from collections.abc import Sequence

from kaniko_shim.dockerfile.stages import Stage
from kaniko_shim.dockerfile.steps import Step, announcement
from kaniko_shim.engines.buildkit.status import Output, Place, Reader, Text, Vertex, Warned
from kaniko_shim.log.lines import Lines
from kaniko_shim.outcome.result import CacheReport
from kaniko_shim.system.container.disk import is_full
from kaniko_shim.system.job import Job

LONGEST_PHASE = 120
"""Characters of a phase, which every line of a JSON log repeats."""

REPEATED = 400
"""Lines of a step after which it is announced again, so that it stays among the log's last lines."""

_NO_SPACE = b"o space left on device"
_CACHED = "Using caching version of cmd: "
_CACHE_WRITE = "exporting cache to"


class Follower:
    """Reads the lines of buildctl.

    Attributes:
        failed: the vertex that failed first, while the build goes on with others; None if none has.
        text: the lines that buildctl has written itself, the last of which says why it failed.
        disk_full: whether the disk was full when a step printed that no space is left.
        hits: instructions whose result was there before.
        misses: instructions that were run.
    """

    def __init__(self, job: Job, stages: Sequence[Stage]) -> None:
        """Args: `stages` are those that are built, in order."""
        self.failed: Vertex | None = None
        self.text = list[str]()
        self.disk_full = False
        self.hits = 0
        self.misses = 0
        self._job = job
        self._reader = Reader()
        self._order = {name: place for place, stage in enumerate(stages) for name in _names(stage, len(stages))}
        #: The number of vertices of each stage.
        self._sizes = dict[int, int]()
        self._vertices = dict[str, Vertex]()
        self._lines = dict[str, Lines]()
        self._printed = dict[str, str]()
        self._announced = ""
        self._since = 0

    @property
    def printed(self) -> str:
        """The last line of the step that failed."""
        return self._printed.get(self.failed.digest, "") if self.failed else ""

    @property
    def cache(self) -> CacheReport:
        """Instructions that were found in the cache, and not."""
        return CacheReport(self.hits, self.misses)

    def read(self, line: str) -> None:
        """Read a line."""
        for event in self._reader.read(line):
            match event:
                case Vertex():
                    self._vertex(event)
                case Output():
                    self._output(event)
                case Warned():
                    where = f" line {event.line}" if event.line else ""
                    self._job.warn(f"Dockerfile{where}: {event.text}")
                case Text():
                    if event.line.strip():
                        self.text.append(event.line)

    def silence(self) -> None:
        """It has said nothing for a while."""
        self._job.beat()

    def end(self) -> None:
        """It has ended: pass on what steps have printed without a line end behind it."""
        for lines in self._lines.values():
            lines.end()

    def _vertex(self, vertex: Vertex) -> None:
        before = self._vertices.get(vertex.digest)
        self._vertices[vertex.digest] = vertex
        place = vertex.place
        if place:
            self._sizes[self._stage(place)] = place.of
        if vertex.error and not vertex.error.endswith("context canceled"):
            self.failed = self.failed or vertex
            if vertex.name.startswith(_CACHE_WRITE):
                self._job.warn(f"The cache could not be written: {vertex.error}")
        if vertex.started and not (before and before.started):
            self._job.phases.enter(self._job.console.masker.mask(_phase(vertex))[:LONGEST_PHASE])
            if place and not vertex.cached:
                self._announce(vertex)
        if place and vertex.completed and not vertex.error and not (before and before.completed):
            self._completed(vertex, place)

    def _completed(self, vertex: Vertex, place: Place) -> None:
        if place.text.startswith("FROM "):
            return
        if vertex.cached:
            self.hits += 1
            self._announce(vertex)
            self._job.relay(f"{_CACHED}{place.text}")
        else:
            self.misses += 1

    def _output(self, output: Output) -> None:
        if _NO_SPACE in output.content and not self.disk_full:
            self.disk_full = is_full((self._job.paths.buildkit_state,))
        vertex = self._vertices.get(output.vertex)
        if vertex is None or not output.content:
            return
        if output.vertex not in self._lines:
            self._lines[output.vertex] = Lines(lambda line: self._line(vertex, line), self._job.console.masker)
        self._lines[output.vertex].feed(output.content)

    def _line(self, vertex: Vertex, line: str) -> None:
        # Steps run side by side: whose line it is has to be said again.
        if vertex.place and (self._announced != vertex.digest or self._since >= REPEATED):
            self._announce(vertex)
        self._since += 1
        if line.strip():
            self._printed[vertex.digest] = line
        self._job.relay(line)

    def _announce(self, vertex: Vertex) -> None:
        place = vertex.place
        if place is None:
            return
        stage = self._stage(place)
        before = sum(size for index, size in self._sizes.items() if index < stage)
        step = Step(before + place.number, stage + 1, " ".join(place.text.split()), 0)
        stages = max(self._order.values(), default=0) + 1
        self._announced, self._since = vertex.digest, 0
        self._job.say(announcement(step, stages, sum(self._sizes.values()), self._job.console.masker.mask))

    def _stage(self, place: Place) -> int:
        return self._order.get(place.stage.lower(), 0)


def _names(stage: Stage, stages: int) -> tuple[str, ...]:
    """What BuildKit calls a stage."""
    return (stage.name or f"stage-{stage.index}", *([""] if stages == 1 else ()))


def _phase(vertex: Vertex) -> str:
    if place := vertex.place:
        return f"at {' '.join(place.text.split())}"
    return vertex.name.removeprefix("[internal] ")
