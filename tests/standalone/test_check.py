"""Checks before the build whether the image can be pushed."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standalone.answering import serve_answers, serve_tokens
from standalone.container import Builder
from standalone.registry import private_registry
from support.file_server import serve_https
from support.https import Https
from support.registry import Registry

NOBODY = 65532
USER, PASSWORD = "robot", "p4ssw0rd-of-the-push"


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with private_registry(tmp_path_factory.mktemp("private"), USER, PASSWORD) as registry:
        yield registry


@pytest.fixture(scope="module")
def answers() -> Iterator[str]:
    with serve_answers() as address:
        yield address


def check(builder: Builder, image: str, auths: dict[str, str] | None = None, **env: str) -> dict[str, Any]:
    config = {"auths": {host: {"auth": b64encode(login.encode()).decode()} for host, login in (auths or {}).items()}}
    near = [each for each in image.split(",") if each.startswith("127.0.0.1:")]
    listed = ",".join(each.partition("/")[0] for each in near)
    variables = {
        "OUTPUT_IMAGE": image,
        "DOCKER_CONFIG_JSON": json.dumps(config),
        "INSECURE_REGISTRIES": listed,
        **env,
    }
    done = builder.run("check", env=variables, user=NOBODY)
    assert PASSWORD not in done.log
    assert done.code == done.result["exitCode"], done.log
    return done.result


def test_a_registry_that_lets_us(builder: Builder, registry: Registry, private: Registry):
    images = f"{private.address}/team/app:1,{registry.address}/team/app:1"
    result = check(builder, images, {private.address: f"{USER}:{PASSWORD}"})
    result.pop("timings")
    assert result == {"version": 1, "command": "check", "outcome": "Succeeded", "exitCode": 0}
    assert private.repositories(USER, PASSWORD) == []


@pytest.mark.parametrize(
    ("auths", "hint"),
    [
        ({}, "DOCKER_CONFIG_JSON has no credentials for {private}: add an entry {private} to its auths."),
        (
            {"{private}": "robot:wr0ng-wr0ng"},
            (
                "The registry did not accept the credentials for {private}: check that they are valid and can push to "
                "that repository."
            ),
        ),
    ],
)
def test_missing_or_wrong_credentials(builder: Builder, private: Registry, auths: dict[str, str], hint: str):
    address = private.address
    given = {host.format(private=address): login for host, login in auths.items()}
    result = check(builder, f"{address}/team/app:1", given)
    result.pop("timings")
    assert result.pop("memory") == {"oomKills": 0}
    assert result == {
        "version": 1,
        "command": "check",
        "outcome": "Failed",
        "exitCode": 77,
        "reason": "RegistryUnauthorized",
        "message": f"{address} denied the push: "
        f"POST http://{address}/v2/team/app/blobs/uploads/: UNAUTHORIZED: authentication required.",
        "hint": hint.format(private=address),
        "registry": address,
    }


@pytest.mark.parametrize(
    ("repository", "reason"),
    [("denied", "RegistryUnauthorized"), ("unnamed", "PushRejected"), ("bare-denied", "RegistryUnauthorized")],
)
def test_refusals(builder: Builder, answers: str, repository: str, reason: str):
    assert check(builder, f"{answers}/team/{repository}:1")["reason"] == reason


@pytest.mark.parametrize(("password", "outcome"), [("s3cret-s3cret", "Succeeded"), ("wr0ng-wr0ng", "Failed")])
def test_a_registry_with_tokens(builder: Builder, password: str, outcome: str):
    with serve_tokens("robot", "s3cret-s3cret") as address:
        result = check(builder, f"{address}/team/app:1", {address: f"robot:{password}"})
    assert result["outcome"] == outcome
    assert result.get("reason", "RegistryUnauthorized") == "RegistryUnauthorized"


@pytest.mark.parametrize("repository", ["busy", "down"])
def test_a_registry_in_trouble_is_a_warning(builder: Builder, answers: str, repository: str):
    result = check(builder, f"{answers}/team/{repository}:1")
    assert result["outcome"] == "Succeeded"
    assert [f"can be pushed: {answers} " in warning for warning in result["warnings"]] == [True]


@pytest.mark.parametrize("host", ["127.0.0.1:9", "nosuch.invalid", "192.0.2.1"])
def test_a_registry_out_of_reach_is_a_warning_within_seconds(builder: Builder, host: str):
    result = check(builder, f"{host}/team/app:1")
    assert (result["outcome"], len(result["warnings"])) == ("Succeeded", 1)
    assert result["timings"]["totalMs"] < 15_000


def test_certificates(builder: Builder, tmp_path: Path):
    https = Https.make(tmp_path)
    with serve_https(https, b"{}") as url:
        host = url.removeprefix("https://")
        result = check(builder, f"{host}/team/app:1", INSECURE_REGISTRIES="")
    assert (result["reason"], result["registry"]) == ("RegistryTLS", host)


def test_plain_http(builder: Builder, registry: Registry, tmp_path: Path):
    hosts = tmp_path / "hosts"
    address, _, port = registry.address.partition(":")
    hosts.write_text(f"{address} plain.test\n")
    env = {"OUTPUT_IMAGE": f"plain.test:{port}/team/app:1"}
    done = builder.run("check", env=env, mounts={"/etc/hosts": hosts}, user=NOBODY)
    assert (done.result["reason"], done.result["hint"]) == (
        "RegistryTLS",
        f"List plain.test:{port} in INSECURE_REGISTRIES.",
    )
    done = builder.run(
        "check", env={**env, "INSECURE_REGISTRIES": f"plain.test:{port}"}, mounts={"/etc/hosts": hosts}, user=NOBODY
    )
    assert done.code == 0, done.log


def test_nothing_is_asked_if_nothing_is_pushed(builder: Builder):
    assert check(builder, "nosuch.invalid/team/app:1", NO_PUSH="true")["outcome"] == "Succeeded"
