"""Credential helpers that a Docker config names for any registry, as docs/reference/builder-image.md describes."""

import json
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from standalone.container import Builder
from standalone.registry import private_registry
from support.registry import Registry

PASSWORD = "p4ssw0rd-of-the-helper"
PLACE = "/kaniko/docker-credential-own"
ANSWERS = f"""#!/kaniko/.Shim/bin/python3 -I
import json, sys
print(json.dumps({{"ServerURL": sys.stdin.read().strip(), "Username": "robot", "Secret": "{PASSWORD}"}}))
"""
FAILS = """#!/kaniko/.Shim/bin/python3 -I
print("the vault is sealed")
raise SystemExit(1)
"""


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Iterator[Registry]:
    folder = tmp_path_factory.mktemp("private")
    with private_registry(folder, "robot", PASSWORD) as found:
        auth = b64encode(f"robot:{PASSWORD}".encode()).decode()
        (folder / "config.json").write_text(json.dumps({"auths": {found.address: {"auth": auth}}}))
        environment = {"DOCKER_CONFIG": str(folder)}
        copy = [str(registry.crane), "--insecure", "copy", f"{registry.address}/library/busybox:latest"]
        subprocess.run([*copy, f"{found.address}/team/base:1"], check=True, capture_output=True, env=environment)
        yield Registry(found.address, found.crane, environment=environment)


def helped(directory: Path, source: Path, script: str) -> dict[str, Path]:
    program = directory / "docker-credential-own"
    program.write_text(script)
    program.chmod(0o755)
    return {"/tmp/source": source, PLACE: program}


@pytest.fixture
def variables(env: dict[str, str], private: Registry) -> dict[str, str]:
    return {
        **env,
        "INSECURE_REGISTRIES": f"{env['INSECURE_REGISTRIES']};{private.address}",
        "DOCKER_CONFIG_JSON": json.dumps({"credHelpers": {private.address: "own"}}),
    }


def test_a_helper_gives_the_password_of_base_images_and_outputs(
    builder: Builder, private: Registry, source: Path, tmp_path: Path, variables: dict[str, str]
):
    (source / "Dockerfile").write_text(f"FROM {private.address}/team/base:1\nRUN echo hello > /hello\n")
    variables["OUTPUT_IMAGE"] = f"{private.address}/team/app:1"
    done = builder.run(env=variables, mounts=helped(tmp_path, source, ANSWERS))
    assert done.code == 0, done.log
    assert PASSWORD not in done.log
    assert done.result["digest"] == private.digest(f"{private.address}/team/app:1")


def test_a_helper_that_fails_is_named(
    builder: Builder, private: Registry, source: Path, tmp_path: Path, variables: dict[str, str]
):
    (source / "Dockerfile").write_text(f"FROM {private.address}/team/base:1\n")
    mounts = helped(tmp_path, source, FAILS)
    for output, reason in (
        (f"{private.address}/team/app:1", "RegistryUnauthorized"),
        (variables["OUTPUT_IMAGE"], "BaseImageUnauthorized"),
    ):
        done = builder.run(env={**variables, "OUTPUT_IMAGE": output}, mounts=mounts)
        assert done.result["reason"] == reason, done.log
        assert done.result["registry"] == private.address
        assert "docker-credential-" in done.result["message"] + done.result["hint"]
        assert "the vault is sealed" in done.result["message"]


def test_an_entry_without_a_password_is_refused_before_anything_is_built(
    builder: Builder, private: Registry, source: Path, variables: dict[str, str]
):
    variables |= {"OUTPUT_IMAGE": f"{private.address}/team/app:1"}
    variables["DOCKER_CONFIG_JSON"] = json.dumps({"auths": {private.address: {}}, "credsStore": "desktop"})
    done = builder.run(env=variables, mounts={"/tmp/source": source})
    assert (done.code, done.result["reason"], done.result["registry"]) == (2, "InvalidSpec", private.address)
    assert done.result["message"] == (
        f'"auths" has no password for {private.address}: "credsStore" ("desktop") keeps it outside of this file.'
    )
    assert f'"{private.address}": {{"auth": "<base64 of user:password>"}}' in done.result["hint"]
