"""The versions of the programs in the builder image."""

import subprocess
import sys

from kaniko_shim import __version__
from kaniko_shim.system.paths import Paths


def versions(paths: Paths) -> dict[str, str]:
    """The versions of the shim, the engine and Python, by program."""
    is_buildkit = paths.has_buildkit
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program
            [paths.buildkitd, "--version"] if is_buildkit else [paths.executor, "version"],
            env={},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        executor = " ".join((done.stdout + done.stderr).split()).removeprefix("Kaniko version : ") or "unknown"
    except (OSError, subprocess.SubprocessError) as error:
        executor = f"none ({error})"
    return {
        "kaniko-shim": __version__,
        "buildkitd" if is_buildkit else "executor": executor.removeprefix("buildkitd "),
        "Python": ".".join(map(str, sys.version_info[:3])),
    }
