"""Git over SSH by the image itself, which has no ssh program, as docs/reference/builder-image.md shows it."""

from pathlib import Path

import pytest
from standalone.container import Builder
from support.git_server import make_repository
from support.registry import Registry
from support.sshd import Sshd, serve_ssh

DOCKERFILE = b"FROM busybox\nCOPY word /word\n"


@pytest.fixture
def server(tmp_path: Path):
    (tmp_path / "ssh").mkdir()
    with serve_ssh(tmp_path / "ssh") as running:
        yield running


def test_a_repository_with_a_key(
    builder: Builder, registry: Registry, env: dict[str, str], tmp_path: Path, server: Sshd
):
    commit = make_repository(tmp_path / "git/app.git", {"app/Dockerfile": DOCKERFILE, "app/word": b"ssh"})
    variables = {
        **env,
        "SOURCE_GET_URL": f"{server.url(tmp_path / 'git/app.git')}#main:app",
        "SOURCE_SSH_PRIVATE_KEY": server.private_key,
    }
    refused = builder.run(env=variables)
    done = builder.run(env={**variables, "SOURCE_SSH_KNOWN_HOSTS": server.known_hosts})
    assert (refused.code, refused.result["reason"]) == (65, "SourceUnauthorized")
    assert "SOURCE_SSH_KNOWN_HOSTS" in refused.result["message"]
    assert done.code == 0, done.log
    assert (registry.pull(env["OUTPUT_IMAGE"], tmp_path / "image") / "word").read_text() == "ssh"
    assert done.result["source"]["revision"] == commit
    assert not any(line in done.log for line in server.private_key.splitlines()[1:-1])
