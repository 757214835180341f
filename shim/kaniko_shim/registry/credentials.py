"""Puts registry credentials where the executor and crane read them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from kaniko_shim.outcome.errors import Failure, JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry import docker_config
from kaniko_shim.registry.docker_config import DockerConfig
from kaniko_shim.registry.references import is_docker_hub
from kaniko_shim.system.paths import Paths

_REFUSALS = frozenset({Reason.REGISTRY_UNAUTHORIZED, Reason.BASE_IMAGE_UNAUTHORIZED})


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


def explain_refusal(failure: Failure, config: DockerConfig | None) -> Failure:
    """Add a hint that says whether there were credentials for the registry that denied access."""
    if failure.hint or not failure.registry or failure.reason not in _REFUSALS:
        return failure
    host = "https://index.docker.io/v1/" if is_docker_hub(failure.registry) else failure.registry
    known = config is not None and failure.registry in config.registries()
    if known:
        hint = f"The registry did not accept the credentials for {failure.registry}: check that they are valid and can "
        hint += "push to that repository." if failure.reason is Reason.REGISTRY_UNAUTHORIZED else "pull that image."
    else:
        hint = f"DOCKER_CONFIG_JSON has no credentials for {failure.registry}: add an entry {host} to its auths."
        if is_docker_hub(failure.registry):
            hint += " Also check the image's name: Docker Hub gives the same answer if the image does not exist."
    return replace(failure, hint=hint)


def install_credentials(config: DockerConfig | None, paths: Paths, warn: Callable[[str], None]) -> None:
    """Write the credentials, without the helpers whose programs are not in this image."""
    usable, dropped = docker_config.without_missing_helpers(config or DockerConfig())
    if dropped:
        warn(f"Credential helpers of the Docker config are not in this image and are ignored: {', '.join(dropped)}.")
    docker_config.write(usable, paths.credentials)


def remove_credentials(paths: Paths) -> None:
    """Remove the credentials: the files of a container may outlive it."""
    with suppress(OSError):
        (paths.credentials / "config.json").unlink()
