"""Where credentials are found, and what a refusal says about them."""

import json
from pathlib import Path

import pytest
from kaniko_shim.outcome.errors import Failure, JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.credentials import explain_refusal, find_credentials, install_credentials
from kaniko_shim.registry.docker_config import DockerConfig
from kaniko_shim.system.paths import Paths


def test_where_credentials_are_found(tmp_path: Path):
    paths = Paths(scratch=tmp_path / "run", docker_config=tmp_path / "mounted")
    home = tmp_path / "home"
    environment = {"HOME": str(home)}
    assert find_credentials(None, environment, paths) is None
    for directory, name in ((home / ".docker", "home"), (paths.docker_config, "mounted"), (tmp_path / "own", "own")):
        directory.mkdir(parents=True)
        (directory / "config.json").write_text(json.dumps({"auths": {name: {}}}))
    assert find_credentials(None, environment, paths) == DockerConfig({"mounted": {}})
    environment["DOCKER_CONFIG"] = str(tmp_path / "own")
    assert find_credentials(None, environment, paths) == DockerConfig({"own": {}})
    assert find_credentials(DockerConfig({"given": {}}), environment, paths) == DockerConfig({"given": {}})
    (tmp_path / "own" / "config.json").write_text("s3cret")
    with pytest.raises(JobError, match="can't be used") as caught:
        find_credentials(None, environment, paths)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("reason", "registry", "hint"),
    [
        (
            Reason.REGISTRY_UNAUTHORIZED,
            "r.example",
            "has no credentials for r.example: add an entry",
        ),
        (
            Reason.REGISTRY_UNAUTHORIZED,
            "known.example",
            "did not accept the credentials for known.example: check that they are valid",
        ),
        (Reason.BASE_IMAGE_UNAUTHORIZED, "known.example", "pull that image"),
        (
            Reason.BASE_IMAGE_UNAUTHORIZED,
            "index.docker.io",
            "entry https://index.docker.io/v1/ to its auths. Also check",
        ),
        (Reason.DISK_FULL, "r.example", "more ephemeral storage"),
    ],
)
def test_a_refusal_is_explained(reason: Reason, registry: str, hint: str):
    config = DockerConfig({"https://known.example/v2": {"auth": "x"}})
    assert hint in explain_refusal(Failure(reason, "x", registry=registry), config).advice


def test_credentials_are_installed_without_helpers_that_are_not_here(tmp_path: Path):
    said = list[str]()
    paths = Paths(scratch=tmp_path)
    install_credentials(DockerConfig({"a": {"auth": "dTpw"}}, {}, "desktop"), paths, said.append)
    assert json.loads((paths.credentials / "config.json").read_text()) == {"auths": {"a": {"auth": "dTpw"}}}
    assert said == [
        "Credential helpers of the Docker config are not in this image and are ignored: desktop.",
    ]
