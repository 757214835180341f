"""The variables of the cluster that the tools and tests use."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def cluster_variables(*options: str) -> dict[str, str]:
    """The variables of `make cluster-info`.

    Raises:
        SystemExit: no cluster is running; the message says how to start one.
    """
    command = [sys.executable, "-m", "cluster", "info", *options]
    done = subprocess.run(command, cwd=ROOT / "tests", capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip() or f"{shlex.join(command)} ended with {done.returncode}")
    pairs = (word.partition("=") for word in shlex.split(done.stdout))
    return {name: value for name, _, value in pairs}


def with_programs(variables: dict[str, str]) -> dict[str, str]:
    """The environment for programs of the cluster: kubectl, helm and crane of BIN come first."""
    path = os.pathsep.join(filter(None, [variables.get("BIN"), os.environ.get("PATH")]))
    return {**os.environ, **variables, "PATH": path}
