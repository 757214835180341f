"""BuildKit's own parsers, which are built as a program: `tests/cluster/buildkit`."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cluster.artefacts import artefact

Ask = Callable[[Mapping[str, object]], dict[str, Any]]
"""Sends a request to the program; returns its answer."""


@contextmanager
def asking() -> Iterator[Ask]:
    """Run the program."""
    with subprocess.Popen([artefact("buildkit")], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        stdin, stdout = process.stdin, process.stdout

        def answer(question: Mapping[str, object]) -> dict[str, Any]:
            stdin.write(json.dumps(question).encode() + b"\n")
            stdin.flush()
            reply: dict[str, Any] = json.loads(stdout.readline())
            return reply

        yield answer
        stdin.close()
        assert process.wait() == 0
