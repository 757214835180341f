"""The operator as a process of its own, beside a real API server."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from support.metrics import Samples, read_samples

BUILDER_IMAGE = "registry.example.com/builder:1"


class OperatorProcess:
    """`python -m imagebuild_operator`, watching one namespace."""

    def __init__(self, kubeconfig: Path, namespace: str, log: Path, settings: Mapping[str, str] | None = None) -> None:
        self._health, self._metrics = free_port(), free_port()
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "IMAGEBUILD_NAMESPACES": namespace,
            "IMAGEBUILD_BUILDER_IMAGE": BUILDER_IMAGE,
            "IMAGEBUILD_HEALTH_PORT": str(self._health),
            "IMAGEBUILD_METRICS_PORT": str(self._metrics),
            "IMAGEBUILD_RETRY_DELAY": "0.2",
            **{f"IMAGEBUILD_{name}": value for name, value in (settings or {}).items()},
        }
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; what it does shows when it is ready."""
        with self._log.open("ab") as sink:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "imagebuild_operator"],
                env=self._environment,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it and give its exit code."""
        assert self._process
        self._process.send_signal(how)
        return self._process.wait(timeout=30)

    def is_running(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def metrics(self) -> Samples:
        """What it counts and measures; nothing before it serves."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._metrics}/metrics", timeout=10) as answer:
                return read_samples(answer.read().decode())
        except urllib.error.URLError:
            return {}

    def probe(self, path: str) -> tuple[int, str]:
        """What a probe of the kubelet would be answered; status 0 before it serves."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._health}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except urllib.error.URLError:
            return 0, ""

    @property
    def log(self) -> str:
        """All that it has printed."""
        return self._log.read_text(encoding="utf-8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
