"""kubectl imagebuild beside kubectl and BuildKit: from the command to the digest, and the CPU time of a start.

Needs root and the test cluster (`make cluster-up images`), and installs this tree's chart in it:

    .venv/bin/python bench/cli.py [--quick]

Of a small build: both create the same ImageBuild, with its files in the spec, and end when it has ended: `kubectl
imagebuild create -f` with the whole log, and `kubectl apply -f` followed by `kubectl wait`, which prints nothing of it.
Of a directory: `kubectl imagebuild build DIR` beside `buildctl build` with a daemon that has just started, so that both
send all of it and have no cache.
"""

import json
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("tests", "tools", "shim")]

from environment import cluster_registry, cluster_variables, program, with_programs  # noqa: E402
from functional.kube import spec  # noqa: E402
from measure.report import Report, options  # noqa: E402
from measure.samples import alternately, seconds  # noqa: E402
from truth import buildkit  # noqa: E402
from truth.subject import Subject  # noqa: E402
from upload import SIZE, make  # noqa: E402

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"
NAMESPACE = "bench-cli"
DOCKERFILE = "FROM scratch\nCOPY Dockerfile /\n"
DIRECTORY = "directory to digest"
TO_DIGEST, START, LIST = "command to digest", "CPU time of --help", "CPU time of a list"
OURS, KUBECTL, APPLY = "kubectl imagebuild", "kubectl", "kubectl apply, kubectl wait"
DIRECTORY_COMMAND, BUILDCTL = "kubectl imagebuild build DIR", "buildctl build, new daemon"
OUR_HELP = "kubectl imagebuild --help"


class Commands:
    """Runs the commands that are measured."""

    def __init__(self, environment: dict[str, str], kubectl: Path, image: str, folder: Path) -> None:
        """Args: `image` is the name of the image to push, without a tag; `folder` gets the manifests."""
        self._environment, self._kubectl, self._image, self._folder = environment, kubectl, image, folder
        self._number = 0

    def run(self, *command: str | Path) -> None:
        """Run a command in the namespace.

        Raises:
            subprocess.CalledProcessError: it failed.
        """
        subprocess.run([*command, "-n", NAMESPACE], env=self._environment, check=True, stdout=subprocess.DEVNULL)

    def kubectl(self, *arguments: str) -> None:
        """Run kubectl."""
        self.run(self._kubectl, *arguments)

    def ours(self) -> float:
        """A build by kubectl imagebuild."""
        _, file = self._manifest()
        return seconds(lambda: self.run(PROGRAM, "create", "-f", file))

    def apply_and_wait(self) -> float:
        """A build by kubectl."""
        name, file = self._manifest()

        def work() -> None:
            self.kubectl("apply", "-f", file)
            self.kubectl("wait", f"imagebuild/{name}", "--for=condition=Finished", "--timeout=300s")

        return seconds(work)

    def directory(self, directory: Path) -> float:
        """A build of a directory by kubectl imagebuild."""
        self._number += 1
        return seconds(lambda: self.run(PROGRAM, "build", directory, "-t", f"{self._image}:directory-{self._number}"))

    def cpu(self, *command: str | Path) -> float:
        """The CPU time of a command."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.run(*command)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def _manifest(self) -> tuple[str, str]:
        self._number += 1
        name = f"build-{self._number}"
        fields = spec(
            source={"inline": {"files": {"Dockerfile": DOCKERFILE}}}, output={"images": [f"{self._image}:{name}"]}
        )
        body = {"apiVersion": "imagebuild.dev/v1alpha1", "kind": "ImageBuild", "metadata": {"name": name}}
        file = self._folder / f"{name}.json"
        file.write_text(json.dumps({**body, "spec": fields}))
        return name, str(file)


def by_buildkit(host: str, directory: Path) -> float:
    """A build of a directory by a BuildKit daemon of its own, without the start of the daemon.

    Raises:
        RuntimeError: it failed.
    """
    subject = Subject("directory", directory, directory, directory / "Dockerfile")
    with buildkit.running(host) as kit:
        begin = time.monotonic()
        built = kit.build(subject, f"{host}/bench/cli:buildkit")
        spent = time.monotonic() - begin
    if not built.succeeded:
        raise RuntimeError(built.log)
    return spent


def main() -> None:
    """Measure and report."""
    told = options(__doc__)
    variables = cluster_variables()
    environment = with_programs(variables)
    subprocess.run([sys.executable, "tools/install.py"], cwd=ROOT, env=environment, check=True)
    kubectl = program("kubectl", variables)
    registry = cluster_registry(variables)
    host = registry.address.partition("/")[0]
    files = 2_000 if told.quick else 20_000
    of_directory = f"{DIRECTORY} ({files * SIZE // 1_000_000} MB in {files} files)"
    report = Report("cli", "bench/cli.py", {TO_DIGEST: APPLY, LIST: KUBECTL, of_directory: BUILDCTL})
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as directory:
        commands = Commands(environment, kubectl, f"{registry.name}/bench/cli", Path(folder))
        root = make(Path(directory), files)
        (root / "Dockerfile").write_text("FROM scratch\nCOPY . /app\n")
        subprocess.run([kubectl, "create", "namespace", NAMESPACE], env=environment, check=True)
        try:
            cases = {OURS: commands.ours, APPLY: commands.apply_and_wait}
            report.add(TO_DIGEST, alternately(cases, 1 if told.quick else 10))
            builds = {
                DIRECTORY_COMMAND: lambda: commands.directory(root),
                BUILDCTL: lambda: by_buildkit(host, root),
            }
            report.add(of_directory, alternately(builds, 1 if told.quick else 3))
            rounds = 3 if told.quick else 20
            report.add(START, alternately({OUR_HELP: lambda: commands.cpu(PROGRAM, "--help")}, rounds))
            lists = {
                OURS: lambda: commands.cpu(PROGRAM, "list"),
                KUBECTL: lambda: commands.cpu(kubectl, "get", "imagebuilds"),
            }
            report.add(LIST, alternately(lists, rounds))
        finally:
            subprocess.run([kubectl, "delete", "namespace", NAMESPACE, "--wait=false"], env=environment, check=True)
    report.finish(told)


if __name__ == "__main__":
    main()
