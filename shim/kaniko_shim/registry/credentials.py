"""Finds the Docker config of a job, and removes what is left of credentials at its end."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry import docker_config
from kaniko_shim.registry.docker_config import DockerConfig
from kaniko_shim.system.paths import Paths


def find_credentials(given: DockerConfig | None, environment: Mapping[str, str], paths: Paths) -> DockerConfig | None:
    """The credentials from variables, or else those of a mounted config.json.

    Raises:
        JobError: InvalidSpec; the mounted file can't be read.
    """
    if given is not None:
        return given
    home = Path(environment.get("HOME") or "/root")
    for directory in (Path(environment.get("DOCKER_CONFIG") or paths.docker_config), home / ".docker"):
        path = directory / "config.json"
        try:
            return docker_config.parse_docker_config(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            raise JobError(Reason.INVALID_SPEC, f"The mounted {path} can't be used: {error}.") from error
    return None


def remove_credentials(paths: Paths) -> None:
    """Remove the credentials: the files of a container may outlive it."""
    with suppress(OSError):
        (paths.credentials / "config.json").unlink()
    shutil.rmtree(paths.helper_state, ignore_errors=True)
