"""Follows a build: relays what its steps print to the log, and its steps, cache hits and warnings to the job."""

from collections.abc import Iterator, Sequence

from kaniko_shim.dockerfile.stages import Stage
from kaniko_shim.dockerfile.steps import REPEATED, Step, Steps, announcement, plan_steps
from kaniko_shim.engines.buildkit.status import Output, Place, Reader, Text, Vertex, Warned
from kaniko_shim.log.lines import Lines
from kaniko_shim.outcome.result import CacheReport
from kaniko_shim.system.container.disk import is_full
from kaniko_shim.system.job import Job

_NO_SPACE = b"o space left on device"
# buildctl's log, as opposed to what it says of the build.
_OWN_LOG = 'time="'
_CACHED = "Using caching version of cmd: "
_COUNTED = frozenset({"ADD", "COPY", "RUN", "WORKDIR"})
_CACHE_WRITE = "exporting cache to"


class Follower:
    """Reads the lines of buildctl.

    Attributes:
        failed: the vertex that failed first, while the build goes on with others; None if none has.
        text: the lines that buildctl has written itself, the last of which says why it failed.
        bases: the digests of the images that were pulled, by their names.
        disk_full: whether the disk was full when a step printed that no space is left.
    """

    def __init__(self, job: Job, stages: Sequence[Stage]) -> None:
        """Args: `stages` are those that are built, in order."""
        self.failed: Vertex | None = None
        self.text = list[str]()
        self.bases = dict[str, str]()
        self.disk_full = False
        self._job = job
        self._reader = Reader()
        self._steps = plan_steps(stages, counted=_COUNTED)
        self._counted = {name: counted for stage, counted in _counted(stages, self._steps) for name in stage}
        self._vertices = dict[str, Vertex]()
        self._cached = set[str]()
        self._done = set[str]()
        self._begun = set[int]()
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
        # What is exported is completed once more, when its layer has been downloaded.
        return CacheReport(len(self._cached), len(self._done - self._cached))

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
                    if event.line.strip() and not event.line.startswith(_OWN_LOG):
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
        if base := vertex.base:
            self.bases[base[0]] = base[1]
        if vertex.error and vertex.name.startswith(_CACHE_WRITE):
            self._job.warn(f"The cache could not be written: {vertex.error}")
        elif vertex.error and not vertex.error.endswith("context canceled"):
            self.failed = self.failed or vertex
        if vertex.started and not (before and before.started):
            self._job.enter(_phase(vertex))
            if place and not vertex.cached:
                self._announce(vertex)
        if place and vertex.completed and not vertex.error and not place.text.startswith("FROM "):
            self._completed(vertex, place)

    def _completed(self, vertex: Vertex, place: Place) -> None:
        self._done.add(vertex.digest)
        if vertex.cached and vertex.digest not in self._cached:
            self._cached.add(vertex.digest)
            self._announce(vertex)
            step = self._step(place)
            self._job.relay(f"{_CACHED}{step.instruction if step else place.text}")

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
        step = self._step(vertex.place) if vertex.place else None
        if step is None:
            return
        self._announced, self._since = vertex.digest, 0
        # Stages of one base share the vertex of their FROM, and a stage that is based on another has none.
        if step.stage not in self._begun:
            self._begun.add(step.stage)
            start = next(each for each in self._steps.steps if each.stage == step.stage)
            if step is not start:
                self._say(start)
        self._say(step)

    def _say(self, step: Step) -> None:
        steps = self._steps
        self._job.say(announcement(step, steps.stages, len(steps.steps), self._job.console.masker.mask))

    def _step(self, place: Place) -> Step | None:
        """The step of the user's Dockerfile; for a trigger of a base image (ONBUILD), its FROM."""
        counted = self._counted.get(place.stage.lower(), ())
        triggers = max(place.of - len(counted), 0)
        number = place.number if place.text.startswith("FROM ") else max(place.number - triggers, 1)
        return counted[number - 1] if 0 < number <= len(counted) else None


def _counted(stages: Sequence[Stage], steps: Steps) -> Iterator[tuple[tuple[str, ...], tuple[Step, ...]]]:
    """What BuildKit calls each stage, and the steps that it counts in it.

    They are those of github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb/convert.go, `cmdTotal`.
    """
    names = {stage.name for stage in stages if stage.name}
    for number, stage in enumerate(stages, start=1):
        own = tuple(step for step in steps.steps if step.stage == number)
        is_image = stage.base.lower() not in {*names, "scratch"}
        yield (stage.name or f"stage-{stage.index}", *([""] if len(stages) == 1 else ())), own if is_image else own[1:]


def _phase(vertex: Vertex) -> str:
    if place := vertex.place:
        return f"at {' '.join(place.text.split())}"
    return vertex.name.removeprefix("[internal] ")
