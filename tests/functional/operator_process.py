"""The operator as a process of its own, with a real API server."""

import os
import re
import select
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from functional.operator_server import OperatorServer
from support.alongside import alongside
from support.metrics import Samples, read_samples
from support.ports import free_port

BUILDER_IMAGE = "registry.example.com/builder:1"
SETTINGS_FILE = "IMAGEBUILD_SETTINGS_FILE"

#: A settings file, or a part of one.
Settings = Mapping[str, Any]


class OperatorProcess:
    """`imagebuild-operator`, watching one namespace."""

    def __init__(self, kubeconfig: Path, namespace: str, log: Path, settings: Settings | None = None) -> None:
        """Prepare one.

        Args:
            kubeconfig: Of the API server.
            namespace: The namespaces to watch, joined by commas; empty for all.
            log: File for its log; its settings file is written to the same folder.
            settings: What differs from the settings of other tests, in the form of the settings file.
        """
        self._health, self._metrics = free_port(), free_port()
        base = {
            "watchNamespaces": namespace.split(",") if namespace else [],
            "builder": {"image": BUILDER_IMAGE},
            "probes": {"port": self._health},
            "metrics": {"port": self._metrics},
            "retry": {"delaySeconds": 0.2},
        }
        file = log.with_suffix(".settings.yaml")
        file.write_text(yaml.safe_dump(merged(base, settings or {})), encoding="utf-8")
        self._environment = {**os.environ, "KUBECONFIG": str(kubeconfig), SETTINGS_FILE: str(file)}
        self._log = log
        self._pid: int | None = None

    def start(self) -> None:
        """Start it; what it does shows when it is ready."""
        self._log.touch()
        self._pid = _server().start(self._environment, self._log)

    def send(self, what: signal.Signals) -> None:
        """Send it a signal."""
        assert self._pid
        os.kill(self._pid, what)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, and see that it ends in order, or by the signal: killed, or before it had begun."""
        self.send(how)
        code = self.wait()
        assert code in (0, -how), f"the operator ended with {code}:\n{self.log[-5000:]}"

    def wait(self, timeout: float = 30) -> int:
        """Wait until it ends and give its exit code."""
        assert self._pid
        server, pid = _server(), self._pid
        with open_pidfd(pid) as descriptor:
            assert select.select([descriptor], [], [], timeout)[0], "the operator does not end"
        self._pid = None
        code = server.exit_code(pid, wait=True)
        assert code is not None
        return code

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._pid
        return self._pid

    def memory(self) -> int:
        """Bytes of memory that it holds."""
        pages = Path(f"/proc/{self._pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def is_running(self) -> bool:
        """Whether it is there."""
        if self._pid is None:
            return False
        if _server().exit_code(self._pid, wait=False) is not None:
            self._pid = None
        return self._pid is not None

    @property
    def metrics_address(self) -> str:
        """Where Prometheus scrapes it."""
        return f"127.0.0.1:{self._metrics}"

    def metrics(self) -> Samples:
        """What it counts and measures; nothing before it serves."""
        try:
            with urllib.request.urlopen(f"http://{self.metrics_address}/metrics", timeout=10) as answer:
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

    def surprises(self) -> list[str]:
        """Lines of its log that tell of an exception that nobody has thought of."""
        return [line for line in self.log.splitlines() if re.search(r'"stack": \[|Traceback| at \S+\.py:\d', line)]

    @property
    def log(self) -> str:
        """All that it has printed."""
        return self._log.read_text(encoding="utf-8")


class Deaths:
    """Kills an operator, and lets a block of a test survive that."""

    def __init__(self, operator: OperatorProcess) -> None:
        self._operator = operator
        self._has_died = threading.Event()
        #: Whether there is one to kill.
        self.is_up = True

    def kill(self) -> None:
        """End it at once."""
        self.is_up = False
        self._operator.send(signal.SIGKILL)
        self._has_died.set()

    def survived(self) -> AbstractContextManager[None]:
        """Start the operator again whenever it has died, for as long as the block lasts."""
        return alongside(self._revive)

    def _revive(self, over: threading.Event) -> None:
        while not over.is_set():
            if self._has_died.wait(0.05):
                self._operator.wait()
                self._has_died.clear()
                # Not before: what the dead one has sent may still be on its way, and there is nobody to kill yet.
                self._operator.start()
                self.is_up = True


@cache
def _server() -> OperatorServer:
    """One for all tests; it ends with them."""
    return OperatorServer()


def merged(base: Settings, changes: Settings) -> dict[str, Any]:
    """Settings with changes, mappings inside of them merged too."""
    both = {key: merged(base[key], changes[key]) for key in base.keys() & changes if isinstance(base[key], Mapping)}
    return {**base, **changes, **both}


@contextmanager
def open_pidfd(pid: int) -> Iterator[int]:
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
