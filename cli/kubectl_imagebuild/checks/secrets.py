"""The shape of Secrets with credentials. Their values are never shown. Pure."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from imagebuild_vocabulary.image_names import registry_of

from kubectl_imagebuild.checks.finding import Finding, failed, ok, warning

KEY: Final = ".dockerconfigjson"
DOCKER_HUB: Final = "https://index.docker.io/v1/"
_HUB_HOSTS: Final = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
#: Paths of a key that stands for the whole registry.
_WHOLE: Final = frozenset({"", "v1", "v2"})

Body = Mapping[str, Any]


def registry_host(image: str) -> str:
    """The registry of an image as Docker names it: index.docker.io if the image names none."""
    host = registry_of(image)
    return "index.docker.io" if host in _HUB_HOSTS else host


def check_registry_secret(name: str, body: Body, image: str = "") -> Finding:
    """Check a Secret with registry credentials.

    Args:
        name: Its name.
        body: The Secret.
        image: An image that is to be pushed or pulled with it; empty to check no host.
    """
    check = f"Secret {name}"
    server = _server(image) if image else "HOST"
    create = (
        f"Create it with: kubectl create secret docker-registry {name} --docker-server={server} "
        "--docker-username=USER --docker-password=PASSWORD"
    )
    try:
        auths, helpers = _docker_config(body)
    except ValueError as error:
        return failed(check, f"{error}.", create)
    broken = [key for key, auth in auths.items() if not _has_login(auth)]
    if broken:
        return failed(check, f"The entry for {broken[0]} has neither a user name with a password nor a token.", create)
    hosts = {_host(key) for key in (*auths, *helpers)}
    if not image:
        return ok(check, f"Credentials for {', '.join(sorted(hosts)) or 'no registry'}.")
    host = registry_host(image)
    if host in hosts:
        return ok(check, f"Credentials for {host}.")
    found = f"it has {', '.join(sorted(hosts))}" if hosts else "it has none"
    return failed(check, f"There is no entry for {host}: {found}.", create)


def check_git_secret(name: str, body: Body, url: str = "") -> Finding:
    """Check a Secret with credentials for a Git server.

    Args:
        name: Its name.
        body: The Secret.
        url: URL of the repository; empty to accept both kinds.
    """
    check = f"Secret {name}"
    keys = {key for key, value in (body.get("data") or {}).items() if value}
    is_ssh = _is_ssh(url) if url else "ssh-privatekey" in keys
    if is_ssh:
        if "ssh-privatekey" not in keys:
            hint = (
                f"Create it with: kubectl create secret generic {name} --type=kubernetes.io/ssh-auth "
                "--from-file=ssh-privatekey=FILE --from-file=known_hosts"
            )
            return failed(check, "It has no key ssh-privatekey, which an SSH URL needs.", hint)
        if "known_hosts" not in keys:
            hint = "Add the output of ssh-keyscan under the key known_hosts, or set source.git.knownHosts."
            return warning(check, "It has no key known_hosts.", hint)
        return ok(check, "A private key and host keys for Git over SSH.")
    if missing := {"username", "password"} - keys:
        hint = (
            f"Create it with: kubectl create secret generic {name} --type=kubernetes.io/basic-auth "
            "--from-literal=username=USER --from-literal=password=TOKEN"
        )
        return failed(check, f"It has no key {', no key '.join(sorted(missing))}, which an HTTPS URL needs.", hint)
    return ok(check, "A user name and a password for Git over HTTPS.")


def _is_ssh(url: str) -> bool:
    scheme, separator, rest = url.partition("://")
    return scheme in {"ssh", "git+ssh"} if separator else "@" in rest or "@" in url


def _docker_config(body: Body) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    encoded = (body.get("data") or {}).get(KEY)
    if encoded is None:
        raise ValueError(f"It has no key {KEY}")
    try:
        document = json.loads(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"The value of {KEY} is not JSON") from error
    if not isinstance(document, dict):
        raise ValueError(f"The value of {KEY} is not a JSON object")  # noqa: TRY004 - of a value
    auths, helpers = document.get("auths") or {}, document.get("credHelpers") or {}
    if not isinstance(auths, dict) or not isinstance(helpers, dict):
        raise ValueError(f'"auths" in {KEY} is not a JSON object')  # noqa: TRY004 - same
    if not auths and not helpers and any(isinstance(value, dict) for value in document.values()):
        raise ValueError(f'{KEY} has registries outside of "auths"')
    return auths, helpers


def _has_login(auth: object) -> bool:
    if not isinstance(auth, dict):
        return False
    if any(auth.get(name) for name in ("identitytoken", "registrytoken")):
        return True
    user, password = next(_basic(auth.get("auth")), ("", ""))
    return bool((auth.get("username") or user) and (auth.get("password") or password))


def _basic(encoded: object) -> Iterator[tuple[str, str]]:
    if isinstance(encoded, str):
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return
        yield user, password


def _host(key: str) -> str:
    """The host that a key of a Docker config stands for; with its path if that is a repository."""
    host, _, path = key.rpartition("://")[2].partition("/")
    host = "index.docker.io" if host in _HUB_HOSTS else host
    return host if path.strip("/") in _WHOLE else f"{host}/{path}"


def _server(image: str) -> str:
    host = registry_host(image)
    return DOCKER_HUB if host == "index.docker.io" else host
