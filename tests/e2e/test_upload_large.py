"""kubectl imagebuild build as in docs/how-to/cli.md: much to send, a restart of the API server, and the role edit."""

import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cluster import processes, settings
from environment import ROOT, with_programs
from functional.kube import Builds, Kubectl
from support.registry import Registry
from support.waiting import until

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"
FILES, SIZE = 20_000, 10_000
#: Peak memory of the command, in KiB: far less than what is sent.
MOST_MEMORY = 160 * 1024


@dataclass(frozen=True)
class Command:
    """A command that runs, and the files with its output, and with its peak memory after its end."""

    process: "subprocess.Popen[bytes]"
    errors: Path
    memory: Path

    def text(self) -> str:
        """What it has said up to now."""
        return self.errors.read_text(encoding="utf-8")

    def end(self) -> tuple[int, int]:
        """Wait for its end: its exit code, and its peak memory in KiB."""
        code = self.process.wait(300)
        return code, int(self.memory.read_text())


#: Runs a command, and writes its peak memory to a file. A direct child of the tests would have theirs.
MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""

Build = Callable[..., AbstractContextManager[Command]]


@pytest.fixture
def build(cluster: dict[str, str], kubectl: Kubectl, namespace: str, tmp_path: Path) -> Build:
    """Run the command build as a user with the ClusterRole edit in the namespace, and nothing else."""
    kubectl("-n", namespace, "create", "serviceaccount", "developer")
    account = f"--serviceaccount={namespace}:developer"
    kubectl("-n", namespace, "create", "rolebinding", "developer", "--clusterrole=edit", account)
    token = kubectl("-n", namespace, "create", "token", "developer").strip()
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(kubectl("config", "view", "--raw", "--flatten"))
    changed = ("--kubeconfig", str(kubeconfig), "config")
    kubectl(*changed, "set-credentials", "developer", f"--token={token}")
    kubectl(*changed, "set-context", "--current", "--user=developer")
    environment = {**os.environ, **with_programs(cluster), "KUBECONFIG": str(kubeconfig), "TOKEN": "hunter2"}

    @contextmanager
    def start(*arguments: str) -> Iterator[Command]:
        errors, memory = tmp_path / "errors", tmp_path / "memory"
        with errors.open("wb") as file:
            measured: list[str | Path] = [sys.executable, "-c", MEASURED, memory, PROGRAM]
            command = [*measured, "-n", namespace, "build", *arguments, "--name", "app", "--progress", "plain"]
            process = subprocess.Popen(
                command, cwd=tmp_path, env=environment, stdout=file, stderr=file, start_new_session=True
            )
        try:
            yield Command(process, errors, memory)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    return start


@pytest.fixture
def app(tmp_path: Path) -> Path:
    directory = tmp_path / "app"
    directory.mkdir()
    (directory / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    return directory


def test_a_user_with_the_role_edit_can_build_with_a_secret(
    build: Build, app: Path, namespace: str, registry: Registry, builds: Builds
):
    (app / "Dockerfile").write_text(
        'FROM busybox\nRUN --mount=type=secret,id=token test "$(cat /run/secrets/token)" = hunter2 && touch /seen\n'
    )
    image = f"{registry.name}/{namespace}/app:1"
    with build("app", "-t", image, "--secret", "id=token,env=TOKEN") as command:
        assert command.end()[0] == 0, command.text()
    assert "hunter2" not in command.text()
    assert "/seen" in registry.files(image)
    upload = builds.get("app")["spec"]["source"]["upload"]
    assert builds.get("app")["status"]["source"]["sha256"] == upload["sha256"]


def test_twenty_thousand_files_take_little_memory(build: Build, app: Path, namespace: str, registry: Registry):
    for number in range(FILES):
        folder = app / f"d{number // 200}"
        folder.mkdir(exist_ok=True)
        (folder / str(number)).write_bytes(os.urandom(SIZE))
    excluded = app / "node_modules"
    excluded.mkdir()
    (excluded / "x").write_bytes(os.urandom(SIZE))
    (app / ".dockerignore").write_text("node_modules\n")
    (app / "Dockerfile").write_text("FROM scratch\nCOPY d7 /d7\nCOPY . /all/\n")
    image = f"{registry.name}/{namespace}/app:1"
    with build("app", "-t", image) as command:
        code, memory = command.end()
    assert code == 0, command.text()
    assert f"Build context: {FILES + 2} files, 200.0 MB" in command.text()
    assert "Excluded by .dockerignore: 1 directory." in command.text()
    assert memory < MOST_MEMORY
    files = registry.files(image)
    assert files["/all/d99/19999"].content == (app / "d99" / "19999").read_bytes()
    assert "/all/node_modules/x" not in files
    assert sum(name.startswith("/all/d") and name.count("/") == 3 for name in files) == FILES


def test_an_upload_continues_after_a_restart_of_the_api_server(
    build: Build, app: Path, namespace: str, registry: Registry, cluster: dict[str, str]
):
    if not cluster.get("CONTAINERD_ADDRESS"):
        pytest.skip("CONTAINERD_ADDRESS is not set: this cluster's API server cannot be restarted by a test")
    # Large enough that the upload runs for seconds.
    with (app / "data").open("wb") as file:
        for _ in range(30):
            file.write(os.urandom(10_000_000))
    state = settings.cluster(functional=False).state
    with build("app", "-t", f"{registry.name}/{namespace}/app:1") as command:
        until(lambda: "Sending the build context" in command.text(), timeout=120)
        servers = [each for each in processes.find(state) if each.part == "kube-apiserver" and each.leader]
        os.kill(servers[0].pid, signal.SIGKILL)
        subprocess.run([sys.executable, "-m", "cluster", "up"], cwd=ROOT / "tests", check=True, capture_output=True)
        assert command.end()[0] == 0, command.text()
    # All of it arrived: the build accepts nothing but the archive with its digest.
    assert registry.digest(f"{registry.name}/{namespace}/app:1") in command.text()
