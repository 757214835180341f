"""--use-docker-login: what docker knows of registries becomes a Docker config with theirs only."""

import base64
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from kubectl_imagebuild.docker_login import docker_login, login_of

PASSWORD = "hunter2"
AUTH = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
HELD: Mapping[str, dict[str, str]] = {
    "registry.example.com": {"Username": "me", "Secret": PASSWORD},
    "token.example.com": {"Username": "<token>", "Secret": "t"},
}


def helper(command: list[str], **more: Any) -> "subprocess.CompletedProcess[str]":  # noqa: ANN401 - those of subprocess.run
    """A credential helper that knows two registries."""
    assert command == ["docker-credential-store", "get"]
    found = HELD.get(more["input"])
    out = json.dumps(found) if found else "credentials not found in native keychain"
    return subprocess.CompletedProcess(command, 0 if found else 1, out, "")


def made(folder: Path, config: object, *images: str) -> Any:  # noqa: ANN401 - JSON
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return json.loads(docker_login(images, {"DOCKER_CONFIG": str(folder)}, helper))["auths"]


def test_only_the_registries_of_the_images_are_taken(tmp_path: Path):
    auths = {name: {"auth": AUTH} for name in ("https://index.docker.io/v1/", "a.example.com", "https://b.example.com")}
    assert made(tmp_path, {"auths": auths}, "team/app:1", "docker.io/team/app:2") == {
        "https://index.docker.io/v1/": {"auth": AUTH}
    }
    assert made(tmp_path, {"auths": auths}, "b.example.com/app:1") == {"b.example.com": {"auth": AUTH}}


@pytest.mark.parametrize(
    "config",
    [
        {"credsStore": "store", "auths": {"registry.example.com": {}}},
        {"credsStore": "other", "credHelpers": {"registry.example.com": "store"}},
    ],
)
def test_a_credential_helper_is_asked(tmp_path: Path, config: object):
    assert made(tmp_path, config, "registry.example.com/app:1") == {"registry.example.com": {"auth": AUTH}}


def test_an_identity_token_stays_one(tmp_path: Path):
    found = made(tmp_path, {"credsStore": "store"}, "token.example.com/app:1")
    assert found["token.example.com"]["identitytoken"] == "t"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "has no login for c.example.com: run docker login c.example.com, or name a Secret with --push-secret"),
        ({"credsStore": "store"}, "has no login for c.example.com"),
        (f'{{"auths": {PASSWORD}', "config.json can't be read"),
    ],
)
def test_what_is_missing_is_named_and_no_secret_is_said(tmp_path: Path, config: object, words: str):
    with pytest.raises(ValueError, match=words) as refused:
        made(tmp_path, config, "c.example.com/app:1")
    assert PASSWORD not in str(refused.value)


def test_a_helper_that_is_missing_or_prints_something_else(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"credsStore": "store"}')

    def odd(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":  # noqa: ANN401 - same
        return subprocess.CompletedProcess(command, 0, f"no JSON: {PASSWORD}", "")

    with pytest.raises(ValueError, match="docker-credential-store gives no credentials") as refused:
        docker_login(["a.example.com/app:1"], {"DOCKER_CONFIG": str(tmp_path)}, odd)
    assert PASSWORD not in str(refused.value)
    with pytest.raises(ValueError, match=r"docker-credential-store gives no credentials \(FileNotFoundError\)"):
        docker_login(["a.example.com/app:1"], {"DOCKER_CONFIG": str(tmp_path)})


def test_no_login_at_all_and_two_ways_at_once(tmp_path: Path):
    with pytest.raises(ValueError, match=r"has no login for index\.docker\.io: run docker login, or"):
        docker_login(["team/app:1"], {"HOME": str(tmp_path)})
    with pytest.raises(ValueError, match="--push-secret push and --use-docker-login: leave one out"):
        login_of(["team/app:1"], "push")
