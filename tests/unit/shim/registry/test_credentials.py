"""Where credentials are found."""

import json
from pathlib import Path

import pytest
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.registry.credentials import find_credentials
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
