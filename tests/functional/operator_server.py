"""Starts operators in a tenth of the time: a process that has imported everything once, and forks for each.

It reads requests from its standard input and answers each with a line of JSON; it ends with its input.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class OperatorServer:
    """The server, as a test asks it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, environment: Mapping[str, str], log: Path) -> int:
        """Start an operator; its process id."""
        return int(self._ask(environment=dict(environment), log=str(log)))

    def exit_code(self, pid: int, *, wait: bool) -> int | None:
        """The exit code of an operator, negative where a signal ended it; None where it runs."""
        code = self._ask(pid=pid, wait=wait)
        return None if code is None else int(code)

    def _ask(self, **request: object) -> Any:  # noqa: ANN401 - whatever the answer is
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _serve() -> None:
    from imagebuild_operator import __main__ as operator  # noqa: PLC0415 - only in the server
    from kubernetes.aio.config import kube_config  # noqa: PLC0415

    for line in sys.stdin:
        request = json.loads(line)
        if "pid" in request:
            pid, status = os.waitpid(request["pid"], 0 if request["wait"] else os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                # Read from the environment when it was imported.
                kube_config.KUBE_CONFIG_DEFAULT_LOCATION = request["environment"]["KUBECONFIG"]
                os._exit(_run(operator.main, request))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _run(main: Any, request: dict[str, Any]) -> int:  # noqa: ANN401 - a function without arguments
    sink = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, stream in ((nothing, 0), (sink, 1), (sink, 2)):
        os.dup2(descriptor, stream)
    os.environ.clear()
    os.environ.update(request["environment"])
    try:
        return int(main())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    _serve()
