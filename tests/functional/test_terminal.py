"""kubectl imagebuild on terminals of several kinds, against a real API server."""

import json
import os
import re
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from functional.kubelet import DIGEST, PUSHED, Kubelet, running, terminated
from functional.node import Node, serve_node
from functional.operator_process import OperatorProcess
from kubernetes import client
from support.screen import Screen, on_terminal

PROGRAM = Path(sysconfig.get_path("scripts")) / "kubectl-imagebuild"
IMAGE = "registry.example.com/team/app:1"
FAILED = json.dumps({"reason": "RunCommandFailed", "message": "RUN make failed with exit code 2.", "exitCode": 2})
COLOUR = re.compile(rb"\x1b\[[0-9;]+m")
LOG = (
    '2026-11-25T10:00:00.5Z kaniko-shim: progress: stage=1/1 step=2/3 instruction="RUN make"\n'
    "2026-11-25T10:00:01.5Z \x1b[31mcompiled\x1b[0m \x1b[2J\x1b[H你好\n"
)


@pytest.fixture
def node(api: client.ApiClient, namespace: str, tmp_path: Path) -> Iterator[Node]:
    """A node that has logs."""
    with serve_node(api, f"node-{namespace}", tmp_path) as served:
        yield served


class Story:
    """A build whose step runs, on a terminal."""

    def __init__(self, environment: Mapping[str, str], namespace: str, kubelet: Kubelet, node: Node) -> None:
        self._environment, self._namespace, self._kubelet, self._node = environment, namespace, kubelet, node
        self._pod: dict[str, Any] = {}

    @contextmanager
    def shown(self, directory: Path, term: str = "xterm", **variables: str) -> Iterator[Screen]:
        source = ("--git", "https://git.example.com/team/app", "-t", IMAGE, "--name", "app")
        command: list[str | Path] = [PROGRAM, "create", *source, "-n", self._namespace]
        environment = {**self._environment, **variables}
        with on_terminal(command, environment, directory, columns=70, rows=20, term=term) as screen:
            self._pod = self._kubelet.pod()
            self._kubelet.bind(self._pod, self._node.name)
            self._node.logs[f"{self._pod['metadata']['name']}/build"] = LOG
            self._kubelet.report(self._pod, "Pending", build=running())
            screen.until("compiled 你好" if term != "dumb" else "compiled")
            yield screen

    def fail(self) -> None:
        self._kubelet.report(self._pod, "Failed", build=terminated(2, FAILED, "Error"))

    def succeed(self) -> None:
        self._kubelet.report(self._pod, "Succeeded", build=terminated(0, "{}"), push=PUSHED)


@pytest.fixture
def story(kubeconfig: Path, operator: OperatorProcess, kubelet: Kubelet, node: Node, namespace: str) -> Story:
    assert operator.is_running()
    unwanted = {"NO_COLOR", "COLUMNS", "LINES"}
    names = {name: value for name, value in os.environ.items() if name not in unwanted}
    return Story({**names, "KUBECONFIG": str(kubeconfig)}, namespace, kubelet, node)


def test_the_step_that_runs_has_its_log_below_it_and_the_screen_keeps_the_steps(story: Story, tmp_path: Path):
    with story.shown(tmp_path) as screen:
        lines = screen.until("RUN make")
        step = next(number for number, line in enumerate(lines) if line.startswith(" => [2/3] RUN make"))
        assert lines[step + 1 :] == ["     compiled 你好"]
        story.fail()
        assert screen.end() == 1
    shown = "\n".join(screen.lines)
    assert " => ERROR [2/3] RUN make" in shown
    assert "------\n > [2/3] RUN make:\ncompiled 你好\n------\nImageBuild app failed" in shown
    assert "RUN make failed with exit code 2" in shown
    assert COLOUR.search(screen.raw)
    # What the log said to the terminal has not reached it.
    assert b"\x1b[2J" not in screen.raw


def test_without_colours(story: Story, tmp_path: Path):
    with story.shown(tmp_path, NO_COLOR="1") as screen:
        story.succeed()
        assert screen.end() == 0
    assert "".join(screen.lines).endswith(f"{IMAGE}@{DIGEST}")
    assert not COLOUR.search(screen.raw)


def test_a_dumb_terminal_gets_no_escape_sequence(story: Story, tmp_path: Path):
    with story.shown(tmp_path, term="dumb") as screen:
        story.succeed()
        assert screen.end() == 0
    assert b"\x1b" not in screen.raw
    assert any(line.endswith("[2/3] RUN make") for line in screen.lines)


def test_a_terminal_that_becomes_smaller_shows_one_frame(story: Story, tmp_path: Path):
    with story.shown(tmp_path) as screen:
        screen.resize(40, 8)
        lines = screen.until(lambda lines: all(len(line) < 40 for line in lines) and "[2/3]" in "".join(lines))
        assert sum(line.startswith("[+] app") for line in lines) == 1
        story.succeed()
        assert screen.end() == 0
