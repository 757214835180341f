"""kubectl imagebuild init and version of docs/how-to/cli.md: what they write is what the API server accepts."""

import json
import os
import pty
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from functional.kube import Builds, Kubectl
from kubectl_imagebuild import __version__

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"
REMOTE = "https://user:token@git.example.com/team/web-shop.git"
SHOWN = "https://git.example.com/team/web-shop.git"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(kubeconfig: Path, tmp_path: Path) -> Run:
    def go(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *arguments],
            cwd=tmp_path,
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return go


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone with a Dockerfile in a folder of it."""

    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch=trunk")
    git("remote", "add", "origin", REMOTE)
    git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--allow-empty", "--quiet", "-m", "First")
    folder = tmp_path / "services" / "web"
    folder.mkdir(parents=True)
    (folder / "Containerfile").write_text("FROM scratch\n")
    return folder


@pytest.mark.usefixtures("project")
def test_the_file_is_accepted_by_the_api_server(run: Run, kubectl: Kubectl, builds: Builds, tmp_path: Path):
    done = run("init", "services/web", "-t", "registry.example.com/team/web:1", "--git-secret", "token")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    file = tmp_path / "imagebuild.yaml"
    assert yaml.safe_load(file.read_text())["spec"] == {
        "source": {"git": {"url": SHOWN, "revision": "trunk", "secretRef": {"name": "token"}}},
        "contextDir": "services/web",
        "dockerfile": {"path": "Containerfile"},
        "output": {"images": ["registry.example.com/team/web:1"], "pushSecretRef": {"name": "registry-push"}},
    }
    kubectl("create", "--dry-run=server", "-n", builds.namespace, "-f", str(file))
    commands = [line.split() for line in done.stderr.splitlines() if line.startswith("  kubectl")]
    for command in commands:
        kubectl(*command[1:], "--dry-run=server", "-n", builds.namespace)
    assert len(commands) == 2
    assert "token@" not in done.stderr + file.read_text()


@pytest.mark.usefixtures("project")
def test_an_existing_file_stays(run: Run, tmp_path: Path):
    (tmp_path / "imagebuild.yaml").write_text("mine\n")
    done = run("init", "services/web")
    assert (done.returncode, done.stderr) == (
        2,
        "error: imagebuild.yaml exists: name another file with --to, or remove it\n",
    )
    assert (tmp_path / "imagebuild.yaml").read_text() == "mine\n"
    shown = run("init", "services/web", "--to", "-")
    assert yaml.safe_load(shown.stdout)["spec"]["output"]["images"] == ["registry.example.com/team/web-shop:1.0"]


def test_a_directory_without_a_repository_or_a_dockerfile(run: Run, project: Path, tmp_path: Path):
    (project / "Containerfile").unlink()
    done = run("init", "services/web")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "name the Dockerfile with --dockerfile PATH" in done.stderr
    assert run("init", "services/web", "--git", f"{SHOWN}#v1", "--to", "-").returncode == 0
    assert run("init", "nowhere").stderr == "error: nowhere is not a directory\n"
    subprocess.run(["git", "remote", "remove", "origin"], cwd=tmp_path, check=True)
    assert "kubectl imagebuild build services/web" in run("init", "services/web").stderr


@pytest.mark.usefixtures("project")
def test_on_a_terminal_it_asks_for_the_image(kubeconfig: Path, tmp_path: Path):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, "init", "services/web"],
        cwd=tmp_path,
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            os.write(ours, b"registry.example.com/asked:1\n")
            process.communicate(timeout=60)
        finally:
            process.kill()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0
    written = yaml.safe_load((tmp_path / "imagebuild.yaml").read_text())
    assert written["spec"]["output"]["images"] == ["registry.example.com/asked:1"]


def test_versions(run: Run, builds: Builds):
    assert builds.namespace
    assert run("version", "--client").stdout == f"Client:   {__version__}\n"
    found = json.loads(run("version", "-o", "json").stdout)
    assert (found["client"], found["api"]) == (__version__, ["v1alpha1"])
    assert run("version").stdout.splitlines()[1] == "API:      v1alpha1"
