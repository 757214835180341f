"""--use-docker-login: the credentials with which docker pushes from this machine."""

import base64
import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kubectl_imagebuild.checks.secrets import DOCKER_HUB, registry_host

#: The user whom a credential helper names where the secret is an identity token.
_TOKEN: Final = "<token>"  # noqa: S105 - a name
#: Seconds that a credential helper may take; some ask a cloud.
_PATIENCE: Final = 60

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def login_of(images: Sequence[str], push_secret: str) -> bytes:
    """The Docker config of --use-docker-login.

    Raises:
        ValueError: a Secret is named as well, or as from `docker_login`.
    """
    if push_secret:
        raise ValueError(f"--push-secret {push_secret} and --use-docker-login: leave one out")
    return docker_login(images)


def docker_login(
    images: Sequence[str], environment: Mapping[str, str] = os.environ, run: Run = subprocess.run
) -> bytes:
    """Make a Docker config with the credentials of the registries of images only.

    Args:
        images: The images that are to be pushed.
        environment: Variables; DOCKER_CONFIG names the directory of the config.
        run: Runs a credential helper.

    Raises:
        ValueError: the config cannot be read, or docker is not logged in to a registry.
    """
    folder = environment.get("DOCKER_CONFIG") or str(Path(environment.get("HOME", "~")).expanduser() / ".docker")
    path = Path(folder) / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        config = {}
    except (OSError, ValueError) as error:
        raise ValueError(f"--use-docker-login: {path} can't be read: {error}") from error
    hosts = dict.fromkeys(map(registry_host, images))
    return json.dumps({"auths": {_key(host): _login(host, config, path, run) for host in hosts}}).encode()


def _key(host: str) -> str:
    return DOCKER_HUB if host == "index.docker.io" else host


def _login(host: str, config: Mapping[str, Any], path: Path, run: Run) -> dict[str, str]:
    key = _key(host)
    helpers = config.get("credHelpers") or {}
    if helper := helpers.get(host) or helpers.get(key) or config.get("credsStore"):
        found = _ask(str(helper), key, run)
    else:
        auths = config.get("auths") or {}
        entry = auths.get(key) or auths.get(host) or auths.get(f"https://{host}") or {}
        found = {name: entry[name] for name in ("auth", "identitytoken") if entry.get(name)}
    if not found:
        name = "" if host == "index.docker.io" else f" {host}"
        raise ValueError(
            f"--use-docker-login: {path} has no login for {host}: run docker login{name}, or name a Secret with "
            "--push-secret"
        )
    return found


def _ask(helper: str, key: str, run: Run) -> dict[str, str]:
    """Ask a credential helper, by the protocol of docker-credential-helpers; empty if it knows nothing."""
    program = f"docker-credential-{helper}"
    try:
        done = run([program, "get"], input=key, capture_output=True, text=True, timeout=_PATIENCE, check=False)
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
        user, secret = str(answer.get("Username") or ""), str(answer.get("Secret") or "")
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        # Not the error itself: it may quote what the helper has printed.
        raise ValueError(f"--use-docker-login: {program} gives no credentials ({type(error).__name__})") from error
    if not secret:
        return {}
    if user == _TOKEN:
        return {"auth": base64.b64encode(f"{_TOKEN}:".encode()).decode(), "identitytoken": secret}
    return {"auth": base64.b64encode(f"{user}:{secret}".encode()).decode()}
