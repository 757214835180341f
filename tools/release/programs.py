"""The Go programs that a release uses."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from release.errors import ReleaseError
from release.tree import ROOT


def program(name: str) -> str:
    """The path of a program: the variable of its name, PATH, or the one that tests/cluster pins and builds.

    Raises:
        ReleaseError: it cannot be built.
    """
    if found := os.environ.get(name.upper()) or shutil.which(name):
        return found
    command = [sys.executable, "-m", "cluster", "artefact", name]
    done = subprocess.run(command, cwd=ROOT / "tests", stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"{name} could not be built. Install it, or set {name.upper()} to its path.")
    return done.stdout.strip()


def run(*command: str | Path) -> str:
    """Run a program; what it prints, also of its own progress.

    Raises:
        ReleaseError: it fails.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"{Path(words[0]).name} {' '.join(words[1:])} failed:\n{done.stdout}".rstrip())
    return done.stdout
