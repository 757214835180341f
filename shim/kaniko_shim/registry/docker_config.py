"""Docker's config.json: parse, merge and write it; it is never printed."""

import base64
import binascii
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kaniko_shim.registry.references import is_docker_hub
from kaniko_shim.system.json_text import load_json

DOCKER_HUB_KEY = "https://index.docker.io/v1/"
"""The only key under which the registry library looks up credentials for Docker Hub."""

Auth = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials for a registry; unused fields are empty."""

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)


# A key with one of these paths is for the whole registry.
_NO_PATHS = frozenset({"", "v1", "v2"})
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_AUTH_KEYS = ("auth", "username", "password", "identitytoken", "registrytoken", "email")


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """The credentials in a Docker config.

    Attributes:
        auths: registry key -> its credentials.
        helpers: registry key -> name of its credential helper.
        store: name of the credential helper for all other registries, or empty.
    """

    auths: Mapping[str, Auth] = field(default_factory=dict)
    helpers: Mapping[str, str] = field(default_factory=dict)
    store: str = ""

    def secrets(self) -> Iterator[str]:
        """Every value that must not be printed."""
        for auth in self.auths.values():
            for key in ("auth", "password", "identitytoken", "registrytoken"):
                if auth.get(key):
                    yield auth[key]
            if auth.get("auth"):
                yield _decode_auth(auth["auth"])[1]

    def registries(self) -> frozenset[str]:
        """`host[:port]` of every registry that has an entry, with credentials or without, or a credential helper."""
        return frozenset(_host_of(key) for key in (*self.auths, *self.helpers))

    def helper(self, registry: str) -> str:
        """The name of the credential helper for a registry; empty if it has none of its own."""
        return self.helpers.get(key_of(registry), "")

    def has_login(self, registry: str) -> bool:
        """Whether there are credentials for a registry, or for a repository in it."""
        return any(_is_login(auth) and _host_of(key) == registry for key, auth in self.auths.items())

    def login(self, registry: str, repository: str) -> Login | None:
        """The credentials for a repository: its own, or those of its registry."""
        whole = f"{registry}/{repository}"
        for key, auth in sorted(self.auths.items(), key=lambda item: item[0] != whole):
            path = key.rpartition("://")[2].partition("/")[2].strip("/")
            if _is_login(auth) and (key == whole or (_host_of(key) == registry and path in _NO_PATHS)):
                user, password = _decode_auth(auth["auth"]) if auth.get("auth") else ("", "")
                return Login(
                    auth.get("username") or user,
                    auth.get("password") or password,
                    auth.get("identitytoken", ""),
                    auth.get("registrytoken", ""),
                )
        return None


def parse_docker_config(text: str) -> DockerConfig | None:
    """Parse a config, as JSON or base64-encoded; None if the text is empty.

    A config without credentials, such as `{}`, is that of an anonymous user, as it is for Docker.

    Raises:
        ValueError: what is wrong with it, without any of its values.
    """
    text = text.strip()
    if not text:
        return None
    if not text.startswith("{"):
        try:
            text = base64.b64decode("".join(text.split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError("write the JSON of a Docker config.json, or its base64") from error
    try:
        document: object = load_json(text)
    except ValueError as error:
        # JSON's own message quotes nothing of the text.
        raise ValueError(f"the Docker config is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise _wrong('a Docker config is a JSON object such as {"auths": {…}}')
    if not {"auths", "credHelpers", "credsStore"} & document.keys():
        _refuse_bare_auths(document)
    store = document.get("credsStore") or ""
    if not isinstance(store, str):
        raise _wrong('"credsStore" is not a string')
    return DockerConfig(
        {_normal_key(key): _parse_auth(key, auth) for key, auth in _object(document, "auths").items()},
        {_normal_key(key): _parse_helper(key, helper) for key, helper in _object(document, "credHelpers").items()},
        _helper_name(store, '"credsStore"') if store else "",
    )


def merge(first: DockerConfig | None, second: DockerConfig | None) -> DockerConfig | None:
    """Merge two configs; for a registry in both, the first takes precedence, unless its entry has no credentials."""
    if first is None or second is None:
        return first or second
    return DockerConfig(
        {
            **second.auths,
            **{key: auth for key, auth in first.auths.items() if _is_login(auth) or key not in second.auths},
        },
        {**second.helpers, **first.helpers},
        first.store or second.store,
    )


def write(config: DockerConfig, directory: Path) -> None:
    """Write `config.json` into a directory, atomically and readable only by its owner."""
    document: dict[str, object] = {"auths": config.auths}
    if config.helpers:
        document["credHelpers"] = config.helpers
    if config.store:
        document["credsStore"] = config.store
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = directory / ".config.json"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(document, stream)
    draft.replace(directory / "config.json")


def key_of(registry: str) -> str:
    """The key of a registry in "credHelpers", which is also what a helper is asked for."""
    return _normal_key(registry)


def _refuse_bare_auths(document: Mapping[str, object]) -> None:
    """Docker would ignore credentials that are not in "auths", and so hide the mistake."""
    for key, value in document.items():
        if isinstance(value, dict) and (value.keys() & set(_AUTH_KEYS) or any(mark in key for mark in ".:/")):
            raise _wrong(f'the Docker config has credentials for {key} outside "auths"; write {{"auths": {{…}}}}')


def _normal_key(key: str) -> str:
    return DOCKER_HUB_KEY if is_docker_hub(_host_of(key)) else key


def _host_of(key: str) -> str:
    return key.rpartition("://")[2].partition("/")[0]


def _object(document: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = document.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(f'"{name}" is not a JSON object')
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(f"{where} is not a string")
    return value


def _parse_helper(registry: str, value: object) -> str:
    where = f'"credHelpers" of {registry}'
    return _helper_name(_text(value, where), where)


def _helper_name(name: str, where: str) -> str:
    if not _HELPER.fullmatch(name):
        raise _wrong(f"{where}: a credential helper is named by the part of its program behind docker-credential-")
    return name


def _is_login(auth: Auth) -> bool:
    return any(auth.get(key) for key in ("auth", "password", "identitytoken", "registrytoken"))


def _parse_auth(registry: str, value: object) -> Auth:
    where = f'"auths" of {registry}'
    if not isinstance(value, dict):
        raise _wrong(f"{where} is not a JSON object")
    auth = {key: _text(value[key], f"{key} in {where}") for key in _AUTH_KEYS if value.get(key) is not None}
    if auth.get("auth"):
        try:
            _decode_auth(auth["auth"])
        except ValueError as error:
            raise ValueError(f"auth in {where} is not the base64 of user:password") from error
    return auth


def _decode_auth(text: str) -> tuple[str, str]:
    user, colon, password = base64.b64decode(text).rstrip(b"\0").decode().partition(":")
    if not colon:
        raise ValueError("no colon")
    return user, password


def _wrong(problem: str) -> ValueError:
    """An error for a value of the wrong type: to the user, it is a wrong value."""
    return ValueError(problem)
