"""How long a cold build of real projects takes, beside a fresh BuildKit: nothing cached, pushed to a registry.

Needs root, runc and overlayfs, and no Kubernetes; wheels come from PyPI, C sources from the Go module proxy:

    .venv/bin/python bench/real_projects.py [--quick] [--json FILE]

- `python`: an application on a base image of 373 MB, with wheels from an index (numpy, Django and others).
- `c`: zstd in two stages, compiled in that base image and copied into a Debian.
- `diamond`: four stages, two of which need the first and are needed by the last; each takes a while.
- `files`: 20,000 small files, copied and changed by two steps; the short form has only this, with 2,000.

Each sample of BuildKit has a daemon of its own with an empty cache; its start does not count. `Kaniko alone` is one
container, `Kaniko` and `BuildKit pod` are two, as the operator runs them: build into a layout, then push that. Their
start counts.
Each sample has a file system of its own, since ext4 creates files slowly for a minute after many were deleted.
"""

import itertools
import os
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "shim"), str(ROOT / "bench")]

from measure.file_system import file_system  # noqa: E402
from measure.report import Report, options  # noqa: E402
from measure.samples import alternately, seconds  # noqa: E402
from projects import Project, projects  # noqa: E402
from standalone.container import Builder, builder_layout  # noqa: E402
from standalone.registry import cluster, own_registry  # noqa: E402
from support.registry import Registry  # noqa: E402
from truth.buildkit import Built, running  # noqa: E402
from truth.subject import Subject  # noqa: E402

ROUNDS, QUICK_ROUNDS = 5, 1
NOBODY = 65532


def main() -> None:
    """Measure and print."""
    told = options(__doc__)
    anchors = {f"cold build of {name}": "BuildKit" for name in ("python", "c", "diamond", "files")}
    report = Report("real_projects", "bench/real_projects.py", anchors)
    rounds = QUICK_ROUNDS if told.quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="projects-") as directory:
        scratch = Path(directory)
        (scratch / "registry").mkdir()
        kaniko, buildkit = (unpacked(engine, scratch) for engine in ("kaniko", "buildkit"))
        report.context["executor"] = kaniko.abilities.name
        try:
            with own_registry(scratch / "registry") as registry, projects(scratch, quick=told.quick) as found:
                registry.push(cluster("base-image", "debian").removeprefix("oci:"), "library/debian:bookworm-slim")
                for project in found:
                    old, new = (Bench(each, registry, scratch, project) for each in (kaniko, buildkit))
                    cases = {
                        "BuildKit": new.buildkit,
                        "BuildKit pod": new.split,
                        "Kaniko pod": old.split,
                        "Kaniko alone": old.alone,
                    }
                    report.add(f"cold build of {project.name}", alternately(cases, rounds, warmup=0))
        finally:
            kaniko.remove()
            buildkit.remove()
    report.finish(told)


def unpacked(engine: str, scratch: Path) -> Builder:
    """The builder image with an engine, made if it is not cached."""
    (scratch / engine).mkdir()
    return Builder.unpack(builder_layout(engine), scratch / engine)


@dataclass(frozen=True)
class Bench:
    """One project, built in several ways."""

    builder: Builder
    registry: Registry
    scratch: Path
    project: Project
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def buildkit(self) -> float:
        """Seconds of a build with a fresh daemon."""
        with file_system(self.scratch) as folder:
            tempfile.tempdir = str(folder)
            try:
                return self._buildkit()
            finally:
                tempfile.tempdir = None

    def _buildkit(self) -> float:
        context = self.project.context
        subject = Subject(self.project.name, context, context, context / "Dockerfile", self.project.arguments)
        with running(self.registry.address) as kit:
            return seconds(lambda: self._succeed(kit.build(subject, self._image())))

    def alone(self) -> float:
        """Seconds of one container, whose executor pushes."""
        with file_system(self.scratch) as folder:
            builder = self._builder(folder)
            mounts = {"/mnt/source": self.project.context}
            return seconds(lambda: self._run(builder, self._environment(), mounts))

    def split(self) -> float:
        """Seconds of the containers of a build pod that build and push."""
        with file_system(self.scratch) as folder:
            builder = self._builder(folder)
            layout, run = folder / "layout", folder / "run"
            for each in (layout, run):
                each.mkdir()
                each.chmod(0o777)
            environment = self._environment()
            shared = {"/kaniko/layout": layout}

            def both() -> None:
                self._run(builder, environment, {**shared, "/mnt/source": self.project.context}, "build")
                self._run(builder, environment, {**shared, "/kaniko/.run": run}, "push", user=NOBODY)

            return seconds(both)

    def _builder(self, folder: Path) -> Builder:
        return replace(self.builder, scratch=folder, containers=[])

    def _image(self) -> str:
        return f"{self.registry.address}/bench/{self.project.name}-{os.getpid()}-{next(self.numbers)}:1"

    def _environment(self) -> dict[str, str]:
        pairs = (b64encode(f"{name}={value}".encode()).decode() for name, value in self.project.arguments.items())
        return {
            "OUTPUT_IMAGE": self._image(),
            "SOURCE_GET_URL": "dir:///mnt/source",
            "INSECURE_REGISTRIES": self.registry.address,
            "REGISTRY_MIRRORS": self.registry.address,
            "BUILD_ARG": ",".join(pairs),
        }

    def _run(
        self,
        builder: Builder,
        environment: Mapping[str, str],
        mounts: Mapping[str, Path],
        *command: str,
        user: int = 0,
    ) -> None:
        done = builder.run(*command, env=environment, mounts=mounts, user=user)
        if done.code:
            sys.exit(done.log)

    def _succeed(self, built: Built) -> None:
        if not built.succeeded:
            sys.exit(built.log)


if __name__ == "__main__":
    main()
