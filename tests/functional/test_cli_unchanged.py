"""--skip-unchanged and rerun of kubectl imagebuild against a real API server, as in docs/how-to/cli.md."""

import os
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from functional.kube import Builds, Defaults, spec
from imagebuild import Archive

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"
IMAGE = "registry.example.com/team/app:1"
DIGEST = f"sha256:{'1' * 64}"

Started = Callable[..., AbstractContextManager["subprocess.Popen[str]"]]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def started(kubeconfig: Path, builds: Builds, tmp_path: Path) -> Started:
    """Commands in the test's namespace that run for as long as the block; no longer."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")

    @contextmanager
    def start(*arguments: str) -> "Iterator[subprocess.Popen[str]]":
        with subprocess.Popen(
            [PROGRAM, *arguments, "-n", builds.namespace],
            cwd=tmp_path,
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    return start


@pytest.fixture
def run(started: Started) -> Run:
    """Commands that end by themselves."""

    def go(*arguments: str) -> "subprocess.CompletedProcess[str]":
        with started(*arguments) as process:
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    return go


def succeeded(builds: Builds, sha256: str, name: str = "app") -> None:
    """A build of the directory that has succeeded."""
    builds.create(spec(source={"upload": {"sha256": sha256}}), name)
    status = {
        "phase": "Succeeded",
        "digest": DIGEST,
        "startTime": "2126-11-25T10:00:00Z",
        "completionTime": "2126-11-25T10:05:00Z",
        "source": {"sha256": sha256},
    }
    builds.patch_status(status, name)


def sha256_of(directory: Path) -> str:
    with Archive(directory) as archive:
        return archive.sha256


def test_an_unchanged_directory_is_not_built(run: Run, builds: Builds, defaults: Defaults, tmp_path: Path):
    defaults.create({"retry": {"limit": 1}})
    succeeded(builds, sha256_of(tmp_path / "app"))
    done = run("build", "app", "-t", IMAGE, "--skip-unchanged", "-o", "name")
    assert (done.returncode, done.stdout) == (0, "imagebuild.imagebuild.dev/app\n"), done.stderr
    assert done.stderr.splitlines()[-2:] == [
        "Unchanged since ImageBuild app, which ended at 2126-11-25T10:05:00Z. Nothing is built.",
        f"{IMAGE}@{DIGEST}",
    ]
    assert run("list", "-o", "name").stdout == "imagebuild.imagebuild.dev/app\n"


@pytest.mark.parametrize(
    ("options", "change", "reason"),
    [
        ((), "a new file", "no earlier build of this namespace has the same directory, spec and images"),
        (("--build-arg", "A=1"), "", "no earlier build of this namespace has the same directory, spec and images"),
        (("--secret", "id=a,env=HOME"), "", "it uses build secrets, whose values may have changed"),
    ],
)
def test_anything_else_is_built(
    started: Started, builds: Builds, tmp_path: Path, options: tuple[str, ...], change: str, reason: str
):
    succeeded(builds, sha256_of(tmp_path / "app"))
    if change:
        (tmp_path / "app" / change).touch()
    command = ("build", "app", "-t", IMAGE, "--skip-unchanged", "--name", "new", *options)
    # No operator asks for the directory: the command waits.
    with started(*command) as process:
        assert process.stderr
        seen = [process.stderr.readline() for _ in range(3)]
    assert seen[1:] == [f"Not skipped: {reason}.\n", "imagebuild.imagebuild.dev/new created\n"]
    assert builds.get("new")["spec"]["source"]["upload"]["sha256"] == sha256_of(tmp_path / "app")


def test_a_build_of_a_directory_is_run_again_with_a_directory(
    run: Run, started: Started, builds: Builds, tmp_path: Path
):
    succeeded(builds, "ab" * 32)
    done = run("rerun", "app")
    assert (done.returncode, done.stdout) == (2, "")
    assert "was built from a directory of a machine: write kubectl imagebuild rerun app DIR" in done.stderr
    with started("rerun", "app", "app", "--name", "new", "--build-arg", "A=1") as process:
        assert process.stderr
        seen = [process.stderr.readline() for _ in range(2)]
    packed, created = seen
    assert packed.startswith("Build context: 1 file, 22 B, ")
    assert created == "imagebuild.imagebuild.dev/new created\n"
    made = builds.get("new")["spec"]
    assert made["source"] == {"upload": {"sha256": sha256_of(tmp_path / "app")}}
    assert made["buildArgs"] == [{"name": "A", "value": "1"}]


def test_other_builds_are_run_again_without_one(run: Run, builds: Builds):
    builds.create(spec(), "app")
    done = run("rerun", "app", ".")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the source of ImageBuild app is not upload: leave out the directory ." in done.stderr
