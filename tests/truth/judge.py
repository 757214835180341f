"""Builds Dockerfiles with BuildKit and with the builder image, and compares what comes of them."""

import functools
import os
import shutil
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler
from itertools import count
from pathlib import Path

from standalone.container import Builder, Done, builder_layout
from standalone.registry import cluster, own_registry
from support.registry import Registry
from support.serving import Quiet, serving
from truth import buildkit, verdict
from truth.buildkit import BuildKit
from truth.differences import Difference, compare, without
from truth.image import Images
from truth.memory import Expected, Memory
from truth.subject import CONTEXT_BEGIN, CONTEXT_END, Subject, of_case
from truth.verdict import Verdict

_SECONDS = 300
"""How long a build may take."""


class _Handler(Quiet, SimpleHTTPRequestHandler):
    """Serves a directory."""


@dataclass(frozen=True)
class Looked:
    """What came of a Dockerfile: the comparison, the builder image's end, and the image that it pushed if it did."""

    verdict: Verdict
    done: Done
    image: str


@dataclass
class Judge:
    """The two builders, and the registry that both push to."""

    kit: BuildKit
    builder: Builder
    registry: Registry
    scratch: Path
    servers: ExitStack
    images: Images
    memory: Memory
    served: dict[Path, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def executor(self) -> str:
        """What the builder image has: BuildKit (`buildkit`), or one of the two lines of kaniko (`shipped`, `old`)."""
        if self.builder.is_buildkit:
            return "buildkit"
        return "shipped" if self.builder.has_shipped_executor else "old"

    def case(self, directory: Path) -> Verdict:
        """Compare the images of a directory that is laid out as a case."""
        return self.look(directory).verdict

    def look(self, directory: Path) -> Looked:
        """The same, with the builder image's end."""
        with self._subject_of(directory) as subject:
            return self._look(subject)

    def twice(self, directory: Path) -> Verdict:
        """Compare two images of a case that are both ours: whether `output.corroborate` would let it pass."""
        with self._subject_of(directory) as subject:
            with self.lock:
                images = [self._image("ours", next(self.numbers)) for _ in range(2)]
            fixed = replace(subject, environment={**subject.environment, "IMAGE_TIMESTAMP": "0", "CACHE": "false"})
            for image in images:
                done = self._ours(fixed, image)
                if done.code:
                    return verdict.of_our_failure(subject.name, done.result, done.log, "")
        first, second = (self.registry.digest(image) for image in images)
        differences = compare(*map(self.images.pull, images)) or [Difference("image", "digest", first, second)]
        return verdict.of_images(subject.name, () if first == second else differences, ())

    @contextmanager
    def _subject_of(self, directory: Path) -> Iterator[Subject]:
        with self.lock:
            scratch = self.scratch / str(next(self.numbers))
            url = self._url(directory.parent)
        scratch.mkdir()
        try:
            yield of_case(directory, url, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def subject(self, subject: Subject) -> Verdict:
        """Compare the images of a Dockerfile."""
        return self._look(subject).verdict

    def _image(self, builder: str, number: int) -> str:
        """Where to push to: no repository is another thread's too, as a registry of version 2 writes links in place."""
        return f"{self.registry.address}/truth/{builder}-{threading.get_ident()}:{number}"

    def _look(self, subject: Subject) -> Looked:
        with self.lock:
            number = next(self.numbers)
        image = self._image("ours", number)
        done = self._ours(subject, image)
        return Looked(self._verdict(subject, number, done, image), done, image)

    def _verdict(self, subject: Subject, number: int, done: Done, image: str) -> Verdict:
        expected = self._buildkit(subject, number)
        warnings = _warnings(done)
        if done.code:
            return verdict.of_our_failure(subject.name, done.result, done.log, expected.error)
        if expected.image is None:
            return verdict.of_leniency(subject.name, warnings, expected.error)
        differences = compare(expected.image, self.images.pull(image))
        if self.executor == "old":
            # It gives every file that it copies the time of the build.
            differences = [each for each in differences if each.kind != "modified"]
        differences = [each for each in differences if not _is_lost_time(each)]
        if differences:
            differences = without(differences, self._varying(subject, number, expected))
        return verdict.of_images(subject.name, differences, warnings)

    def _buildkit(self, subject: Subject, number: int) -> Expected:
        if known := self.memory.recall(subject):
            return known
        image = self._image("buildkit", number)
        built = self.kit.build(subject, image)
        found = Expected(image=self.images.pull(image)) if built.succeeded else Expected(verdict.error_of(built.log))
        self.memory.store(subject, found)
        return found

    def _varying(self, subject: Subject, number: int, expected: Expected) -> tuple[Difference, ...]:
        """What varies from build to build, so that it is no difference."""
        if expected.varying is not None:
            return expected.varying
        image = self._image("again", number)
        varying: tuple[Difference, ...] = ()
        if expected.image and self.kit.build(subject, image).succeeded:
            varying = tuple(compare(expected.image, self.images.pull(image)))
        self.memory.store(subject, replace(expected, varying=varying))
        return varying

    def _ours(self, subject: Subject, image: str) -> Done:
        arguments = (b64encode(f"{name}={value}".encode()).decode() for name, value in subject.build_args.items())
        given = {
            name: value.replace("{registry}", self.registry.address) for name, value in subject.environment.items()
        }
        environment = {
            "OUTPUT_IMAGE": image,
            "SOURCE_GET_URL": "dir:///kaniko/.case",
            "INSECURE_REGISTRIES": self.registry.address,
            "REGISTRY_MIRRORS": self.registry.address,
            # BuildKit has no such thing, and finds all that is asked for at the mirror.
            **({} if self.builder.is_buildkit else {"SKIP_DEFAULT_REGISTRY_FALLBACK": "true"}),
            "BUILD_ARG": ",".join(arguments),
            **given,
        }
        try:
            return self.builder.run(env=environment, mounts={"/kaniko/.case": subject.root}, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            return Done(1, f"no end in {_SECONDS} s", {}, _SECONDS)

    def _url(self, directory: Path) -> str:
        if directory not in self.served:
            port = self.servers.enter_context(serving(functools.partial(_Handler, directory=str(directory))))
            self.served[directory] = f"http://127.0.0.1:{port}"
        return self.served[directory]


def _is_lost_time(difference: Difference) -> bool:
    """Whether BuildKit has given a path the time of its build, where ours has the one of the context.

    While it receives a context, the files in a directory can change the time that it has set before; it depends on
    what else is built.
    """
    if difference.kind != "modified":
        return False
    theirs, ours = int(difference.buildkit), int(difference.ours)
    return theirs > CONTEXT_END and CONTEXT_BEGIN <= ours < CONTEXT_END


def _warnings(done: Done) -> tuple[str, ...]:
    """Those of the result; where it has no room for all, those of the log."""
    found = tuple(map(str, done.result.get("warnings", ())))
    if not any("more warnings; see the log" in each for each in found):
        return found
    mark = "kaniko-shim: warning: "
    return tuple(line.partition(mark)[2] for line in done.log.splitlines() if mark in line)


@contextmanager
def judging(scratch: Path, remembered: Path | None = None) -> Iterator[Judge]:
    """Start BuildKit and a registry, and unpack the builder image, which is made if it is not cached.

    Args:
        scratch: an empty directory.
        remembered: a directory for what BuildKit makes of Dockerfiles; None to ask it each time.
    """
    builder = Builder.unpack(_builder_layout(), scratch)
    try:
        with own_registry(scratch) as registry, buildkit.running(registry.address) as kit, ExitStack() as servers:
            debian = cluster("base-image", "debian").removeprefix("oci:")
            registry.push(debian, "library/debian:bookworm-slim")
            memory = Memory(_of_today(remembered), f"{kit.daemon} {debian} {cluster('base-image', 'busybox')}")
            yield Judge(kit, builder, registry, scratch, servers, Images(registry), memory)
    finally:
        builder.remove()


def _of_today(remembered: Path | None) -> Path | None:
    """Where it is remembered today, without what was on other days.

    The day is a part of some images: useradd writes it to /etc/shadow.
    """
    if remembered is None:
        return None
    today = remembered / f"{datetime.now(UTC):%Y-%m-%d}"
    for other in remembered.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"):
        if other != today:
            shutil.rmtree(other, ignore_errors=True)
    return today


def _builder_layout() -> Path:
    if given := os.environ.get("BUILDER_LAYOUT"):
        return Path(given)
    return builder_layout(os.environ.get("ENGINE", "kaniko").lower())
