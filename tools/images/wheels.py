"""Wheels for an image build without network: what uv.lock pins, and the build backend."""

import platform
import sys
import tomllib
from pathlib import Path

from cluster.console import run


def download(root: Path, extra: str, python: str, folder: Path) -> None:
    """Put requirements.txt and the wheels of an extra into a folder.

    Args:
        root: the project, with pyproject.toml and uv.lock.
        extra: the extra whose dependencies are wanted.
        python: version of the Python that will install them, such as 3.11.
        folder: where; it exists.
    """
    uv, requirements = str(root / "build" / "uv"), folder / "requirements.txt"
    lock = ["--frozen", "--no-dev", "--no-emit-project", f"--extra={extra}"]
    run([uv, "export", "--quiet", f"--project={root}", *lock, f"--output-file={requirements}"])
    pip = [uv, "tool", "run", "--quiet", f"--python={sys.executable}", "pip", "download", "--quiet"]
    target = ["--only-binary=:all:", f"--python-version={python}", f"--dest={folder}", *_platforms()]
    run([*pip, *target, "--require-hashes", f"--requirement={requirements}"])
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    run([*pip, *target, *project["build-system"]["requires"]])


def _platforms() -> list[str]:
    """Say which wheels run on Debian 12 (glibc 2.36) of this machine's architecture."""
    machine = platform.machine()
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(36, 16, -1)]
    return [f"--platform={tag}" for tag in (*tags, f"manylinux2014_{machine}")]
