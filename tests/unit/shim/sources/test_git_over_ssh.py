"""Git against a real OpenSSH server."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sources.fetch import fetch
from kaniko_shim.sources.git.known_hosts import parse_known_hosts
from kaniko_shim.sources.git.ssh_access import SshAccess, parse_private_key
from kaniko_shim.sources.kinds import parse_source
from kaniko_shim.sources.source_request import SourceRequest
from support.git_server import git
from support.sshd import SSHD, Sshd, make_key, serve_ssh
from unit.shim.sources.git_tree import make_repository, names, workspace

pytestmark = pytest.mark.skipif(SSHD is None, reason="openssh-server is not installed")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("served") / "app.git")


@pytest.fixture(scope="module", params=["ed25519", "ecdsa", "rsa"])
def server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Sshd]:
    with serve_ssh(tmp_path_factory.mktemp("ssh"), request.param) as running:
        yield running


def access(server: Sshd) -> SshAccess:
    return SshAccess(parse_private_key(server.private_key), known_hosts=parse_known_hosts(server.known_hosts))


@pytest.mark.parametrize("ref", ["", "v1", "feature/x", "commit"])
def test_a_ref(repository: Path, server: Sshd, tmp_path: Path, ref: str):
    ref = git(repository, "rev-parse", "v1^{commit}") if ref == "commit" else ref
    source = parse_source(f"{server.url(repository)}#{ref}")
    report = fetch(SourceRequest(source, ssh=access(server)), workspace(tmp_path))
    assert report.revision == git(repository, "rev-parse", (ref or "HEAD") + "^{commit}")
    assert "Dockerfile" in names(tmp_path)


def refusal(server: Sshd, repository: Path, tmp_path: Path, ssh: SshAccess) -> JobError:
    with pytest.raises(JobError) as caught:
        fetch(SourceRequest(parse_source(server.url(repository)), ssh=ssh), workspace(tmp_path))
    return caught.value


def test_an_unknown_server_is_refused(repository: Path, server: Sshd, tmp_path: Path):
    error = refusal(server, repository, tmp_path, replace(access(server), known_hosts=()))
    assert error.failure.reason is Reason.SOURCE_UNAUTHORIZED
    assert error.failure.message == "SOURCE_SSH_KNOWN_HOSTS has no key of the SSH server 127.0.0.1."
    assert f"ssh-keyscan -p {server.port} 127.0.0.1" in error.failure.hint


@pytest.mark.shows("A11")
def test_a_server_with_another_key_is_refused_even_if_unknown_ones_are_not(
    repository: Path, server: Sshd, tmp_path: Path
):
    make_key(tmp_path / "other", "-t", "ed25519")
    line = f"[127.0.0.1]:{server.port} " + (tmp_path / "other.pub").read_text()
    ssh = replace(access(server), known_hosts=parse_known_hosts(line), any_host=True)
    error = refusal(server, repository, tmp_path, ssh)
    assert error.failure.reason in {Reason.SOURCE_UNAUTHORIZED, Reason.SOURCE_UNAVAILABLE}
    assert not (tmp_path / "context" / "Dockerfile").exists()


@pytest.mark.parametrize("any_host", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_a_revoked_key_is_refused_even_if_unknown_ones_are_not(
    repository: Path, server: Sshd, tmp_path: Path, known: object, any_host: object
):
    revoked = "".join(f"@revoked {line}\n" for line in server.known_hosts.splitlines())
    lines = parse_known_hosts(revoked + (server.known_hosts if known else ""))
    error = refusal(server, repository, tmp_path, replace(access(server), known_hosts=lines, any_host=bool(any_host)))
    assert error.failure.reason is Reason.SOURCE_UNAUTHORIZED
    assert not (tmp_path / "context" / "Dockerfile").exists()
    if any_host:
        assert "which SOURCE_SSH_KNOWN_HOSTS revokes" in error.failure.message


def test_any_server_if_asked_for(repository: Path, server: Sshd, tmp_path: Path):
    said = list[str]()
    there = replace(workspace(tmp_path), say=said.append)
    ssh = replace(access(server), known_hosts=(), any_host=True)
    fetch(SourceRequest(parse_source(server.url(repository)), ssh=ssh), there)
    assert len(said) == 1
    assert "which was not checked" in said[0]


def test_another_key_is_refused(repository: Path, server: Sshd, tmp_path: Path):
    other = make_key(tmp_path / "other", "-t", "ed25519")
    error = refusal(server, repository, tmp_path, replace(access(server), private_key=parse_private_key(other)))
    assert error.failure.reason is Reason.SOURCE_UNAUTHORIZED
    assert "refused the key in SOURCE_SSH_PRIVATE_KEY" in error.failure.message


def test_no_repository(server: Sshd, tmp_path: Path):
    error = refusal(server, Path("/nowhere/it's.git"), tmp_path, access(server))
    assert error.failure.reason is Reason.SOURCE_NOT_FOUND


def test_a_key_with_a_passphrase(repository: Path, tmp_path: Path):
    with serve_ssh(tmp_path, "ed25519", "-N", "open sesame") as server:
        error = refusal(server, repository, tmp_path, access(server))
        assert error.failure.reason is Reason.INVALID_SPEC
        assert "passphrase" in error.failure.message
        ssh = replace(access(server), password="open sesame")
        fetch(SourceRequest(parse_source(server.url(repository)), ssh=ssh), workspace(tmp_path))
    assert "Dockerfile" in names(tmp_path)
