"""kubectl imagebuild on a real terminal, in a real cluster: screens of docs/how-to/cli.md and README.md; Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cluster import processes, settings
from environment import ROOT, with_programs
from functional.kube import Builds, Kubectl, spec
from kubernetes import client
from support.pages import block_with, manifests
from support.registry import Registry
from support.screen import CTRL_C, Screen, on_terminal
from support.serving import Quiet, serving
from support.watching import phase, wait_for_build, wait_for_finish

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"
IS_KANIKO = os.environ.get("ENGINE") == "Kaniko"

Run = Callable[..., AbstractContextManager[Screen]]

DOCKERFILE = """\
FROM busybox AS build
COPY build.sh .
RUN sh build.sh
FROM busybox
COPY --from=build /greet /greet
"""


@pytest.fixture
def environment(cluster: dict[str, str], kubectl: Kubectl) -> Mapping[str, str]:
    names = {**os.environ, **with_programs(cluster), "KUBECONFIG": str(kubectl.kubeconfig)}
    return {name: value for name, value in names.items() if name not in {"NO_COLOR", "COLUMNS", "LINES"}}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    directory = tmp_path / "app"
    directory.mkdir()
    script = "printf '\\033[31mbuilding\\033[0m\\n' && sleep 5 && echo hello > /greet\n"
    (directory / "build.sh").write_text(script)
    (directory / "Dockerfile").write_text(DOCKERFILE)
    return directory


@pytest.fixture
def run(environment: Mapping[str, str], namespace: str, app: Path, registry: Registry) -> Run:
    """Build the directory app as app:1 on a terminal."""

    def go(*arguments: str, image: str = "") -> AbstractContextManager[Screen]:
        image = image or f"{registry.name}/{namespace}/app:1"
        command: list[str | Path] = [
            PROGRAM,
            "build",
            app.name,
            "-t",
            image,
            "--name",
            "app",
            "-n",
            namespace,
            *arguments,
        ]
        return on_terminal(command, environment, app.parent)

    return go


def without_times(lines: list[str]) -> list[str]:
    """The lines of a screen with 0.0s for each time, and without the gap before it."""
    return [re.sub(r"\s+(?:\d+\.\d|\d+m\d\d)s$", " 0.0s", line) for line in lines]


def steps(lines: list[str]) -> list[str]:
    """The steps of the pod on a screen."""
    shown = [line.removeprefix(" => ") for line in without_times(lines) if line.startswith(" => ")]
    return [line.removesuffix(" 0.0s") for line in shown if not line.startswith(("[internal]", "[upload]"))]


def test_a_success_shows_its_steps_live_and_keeps_them(run: Run, namespace: str, registry: Registry):
    with run() as screen:
        live = screen.until("\n     building")
        assert steps(live)[:3] == [
            "[check] check push access",
            "[build 1/5] FROM busybox AS build",
            "[build 2/5] COPY build.sh .",
        ]
        # The log shows a step before the status does.
        screen.until("Building")
        code = screen.end()
    image = f"{registry.name}/{namespace}/app:1"
    assert code == 0, screen.lines
    assert screen.lines[-1].replace("\n", "") in f"{image}@{registry.digest(image)}"
    assert steps(screen.lines) == steps(block_with("how-to/cli.md", "console", "[+] app").splitlines())
    assert any(line.startswith(" => [upload] send the build context") for line in screen.lines)
    # The log is gone from the screen, and no colour of it was ever there.
    assert "     building" not in screen.lines
    assert b"\x1b[31mbuilding" not in screen.raw


def test_the_first_screen_of_the_readme(run: Run, app: Path):
    [manifest] = [each for each in manifests("../README.md", "ImageBuild") if each["metadata"]["name"] == "hello"]
    for name, text in manifest["spec"]["source"]["inline"]["files"].items():
        (app / name).write_text(text)
    with run() as screen:
        assert screen.end() == 0, screen.lines
    shown = steps(block_with("../README.md", "console", "kubectl imagebuild build").splitlines())
    if IS_KANIKO:
        # CMD is its fourth step.
        shown = [step.replace("/3] ", "/4] ") for step in shown]
    assert [step for step in steps(screen.lines) if "] CMD" not in step] == shown


def test_a_failing_step_is_shown_with_its_log_and_its_line(run: Run, app: Path):
    (app / "Dockerfile").write_text("FROM busybox\n# The program:\nRUN echo compiling && exit 3\nCMD x\n")
    with run() as screen:
        code = screen.end()
    shown = "\n".join(without_times(screen.lines))
    assert code == 1, shown
    title = f"[2/{3 if IS_KANIKO else 2}] RUN echo compiling && exit 3"
    assert f" => ERROR {title} 0.0s" in shown
    assert f"------\n > {title}:\ncompiling\n" in shown
    assert "  2 |     # The program:\n  3 | >>> RUN echo compiling && exit 3\n  4 |     CMD x\n" in shown
    assert "RunCommandFailed" in shown
    assert "\nHint: " in shown


def test_wrong_credentials_fail_at_the_check(run: Run, namespace: str, private_registry: Registry):
    with run(image=f"{private_registry.name}/{namespace}/app:1") as screen:
        code = screen.end()
    shown = "\n".join(screen.lines)
    assert code == 1, shown
    assert " => ERROR [check] check push access" in shown
    assert "RegistryUnauthorized" in shown or "TLS" in shown


def manifest_file(directory: Path, body: dict[str, Any]) -> Path:
    """A file with the ImageBuild app."""
    document = {"apiVersion": "imagebuild.dev/v1alpha1", "kind": "ImageBuild", "metadata": {"name": "app"}}
    file = directory / "app.json"
    file.write_text(json.dumps({**document, "spec": body}))
    return file


def cancelled(screen: Screen) -> None:
    """Ctrl-C on the screen; the build is cancelled."""
    screen.press(CTRL_C)
    code = screen.end()
    assert code == 3, screen.lines
    assert screen.lines[-1] == "ImageBuild app was cancelled."
    assert any(line.startswith("[+] app ") and line.endswith(" Cancelled") for line in screen.lines)


def test_ctrl_c_while_the_build_waits_for_its_turn(
    environment: Mapping[str, str], builds: Builds, api: client.ApiClient, namespace: str, tmp_path: Path
):
    file = manifest_file(tmp_path, spec(suspend=True))
    with on_terminal([PROGRAM, "create", "-f", file, "-n", namespace], environment, tmp_path) as screen:
        screen.until("[internal] wait for a turn")
        wait_for_build(api, namespace, "app", lambda build: phase(build) == "Queued")
        with on_terminal([PROGRAM, "logs", "-f", "app", "-n", namespace], environment, tmp_path) as reader:
            reader.until("Queued")
            reader.press(CTRL_C)
            assert reader.end() == 130
        assert "cancel" not in builds.get("app")["spec"]
        cancelled(screen)


def test_ctrl_c_while_the_pod_starts(run: Run):
    with run() as screen:
        screen.until("[internal] start the pod")
        cancelled(screen)


def test_ctrl_c_while_a_step_runs(run: Run, app: Path):
    (app / "Dockerfile").write_text("FROM busybox\nRUN echo at work && sleep 600\n")
    with run() as screen:
        screen.until("\n     at work")
        cancelled(screen)
    assert any(line.startswith(" => CANCELED [2/2] RUN echo at work && sleep 600") for line in screen.lines)


def test_a_second_ctrl_c_leaves_and_the_cancellation_continues(
    run: Run, app: Path, api: client.ApiClient, namespace: str
):
    (app / "Dockerfile").write_text("FROM busybox\nRUN trap '' TERM; echo at work; sleep 600 & wait; wait\n")
    with run() as screen:
        screen.until("\n     at work")
        screen.press(CTRL_C)
        screen.until("Press Ctrl-C again to leave at once.")
        screen.press(CTRL_C)
        assert screen.end() == 130, screen.lines
    assert wait_for_finish(api, namespace, "app")["phase"] == "Cancelled"


def test_sigterm_cancels(run: Run, app: Path, namespace: str, api: client.ApiClient):
    (app / "Dockerfile").write_text("FROM busybox\nRUN echo at work && sleep 600\n")
    with run() as screen:
        screen.until("\n     at work")
        screen.process.send_signal(signal.SIGTERM)
        assert screen.end() == 3, screen.lines
    assert wait_for_finish(api, namespace, "app")["phase"] == "Cancelled"


@contextmanager
def stuck_registry(address: str) -> Iterator[tuple[str, threading.Event]]:
    """A registry that takes every upload, and never says that it has the data; its name, and whether it got some."""
    reached, released = threading.Event(), threading.Event()

    class Handler(Quiet):
        protocol_version = "HTTP/1.1"

        def _answer(self, status: int, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def do_GET(self) -> None:
            self._answer(200 if self.path.rstrip("/") == "/v2" else 404)

        def do_HEAD(self) -> None:
            self._answer(404)

        def do_POST(self) -> None:
            self._answer(202, Location=f"{self.path.partition('?')[0]}1")

        def do_DELETE(self) -> None:
            self._answer(204)

        def do_PATCH(self) -> None:
            reached.set()
            released.wait(300)
            self.close_connection = True

        do_PUT = do_PATCH  # noqa: N815 - names of the base class

    with serving(Handler, address=address) as port:
        try:
            yield f"{address}:{port}", reached
        finally:
            released.set()


def test_ctrl_c_while_the_image_is_pushed(
    environment: Mapping[str, str], host_address: str, builds: Builds, namespace: str, tmp_path: Path
):
    with stuck_registry(host_address) as (name, reached):
        body = spec(output={"images": [f"{name}/app:1"]}, registries=[{"host": name, "plainHTTP": True}])
        command: list[str | Path] = [PROGRAM, "create", "-f", manifest_file(tmp_path, body), "-n", namespace]
        with on_terminal(command, environment, tmp_path) as screen:
            screen.until(lambda _: reached.is_set())
            screen.until("Pushing")
            cancelled(screen)
    assert builds.get("app")["status"]["phase"] == "Cancelled"


def test_the_log_continues_after_a_restart_of_the_api_server(run: Run, app: Path, cluster: dict[str, str]):
    if not cluster.get("CONTAINERD_ADDRESS"):
        pytest.skip("CONTAINERD_ADDRESS is not set: this cluster's API server cannot be restarted by a test")
    (app / "Dockerfile").write_text("FROM busybox\nRUN for n in $(seq 20); do echo tick $n; sleep 1; done\n")
    with run("--progress", "plain") as screen:
        screen.until("tick 2\n")
        state = settings.cluster(functional=False).state
        servers = [each.pid for each in processes.find(state) if each.part == "kube-apiserver" and each.leader]
        os.kill(servers[0], signal.SIGKILL)
        subprocess.run([sys.executable, "-m", "cluster", "up"], cwd=ROOT / "tests", check=True, capture_output=True)
        assert screen.end() == 0, screen.lines
    ticks = re.findall(r"tick (\d+)\r?\n", screen.raw.decode())
    assert ticks == [str(number) for number in range(1, 21)]
