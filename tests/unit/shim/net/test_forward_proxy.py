"""The shim's own requests go through the proxy of the environment, with its user and password."""

from pathlib import Path

import pytest
from kaniko_shim.net.ca_bundle import trust
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sources.fetch import fetch
from kaniko_shim.sources.kinds import parse_source
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace
from support.forward_proxy import serve_proxy
from support.git_server import make_repository, serve_git
from support.https import Https
from unit.shim.archives.archives import files_of, tar_of
from unit.shim.sources.servers import Answer, serve

FILES = {"Dockerfile": b"FROM scratch\n"}
PASSWORD = "pa$$ @:word%"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_an_archive_is_fetched_through_the_proxy(tmp_path: Path, name: str):
    with (
        serve(Answer(body=tar_of(FILES))) as server,
        serve_proxy({"files.corp.example:80": ("127.0.0.1", server.port)}, "me", PASSWORD) as proxy,
    ):
        workspace = Workspace(tmp_path / "context", tmp_path, {name: proxy.url}, lambda _: None)
        fetch(SourceRequest(parse_source("http://files.corp.example/c.tar")), workspace)
        assert files_of(workspace.context) == FILES
        assert proxy.asked == {("GET", "files.corp.example:80")}


def test_a_repository_is_fetched_through_a_tunnel_and_its_server_is_verified(tmp_path: Path):
    https = Https.make(tmp_path, "git.corp.example")
    make_repository(tmp_path / "served/app.git", FILES)
    source = SourceRequest(parse_source("git+https://git.corp.example/app.git"))
    with serve_git(tmp_path / "served", https=https) as url:
        hosts = {"git.corp.example:443": ("127.0.0.1", int(url.rpartition(":")[2]))}
        with serve_proxy(hosts, "me", PASSWORD) as proxy:
            environment = {"https_proxy": proxy.url}
            trusting = trust(https.authority.read_text(), environment, tmp_path / "source-ca")
            workspace = Workspace(tmp_path / "context", tmp_path, trusting, lambda _: None)
            fetch(source, workspace)
            assert files_of(workspace.context)["Dockerfile"] == FILES["Dockerfile"]
            assert proxy.asked == {("CONNECT", "git.corp.example:443")}
            with pytest.raises(JobError, match="is not trusted"):
                fetch(source, Workspace(tmp_path / "context", tmp_path, environment, lambda _: None))


@pytest.mark.parametrize("url", ["http://h.example/c.tar", "https://h.example/c.tar", "git+https://h.example/a.git"])
def test_a_wrong_password_of_the_proxy_is_final_and_told(tmp_path: Path, url: str):
    with serve_proxy({}, "me", PASSWORD) as proxy:
        wrong = proxy.url.replace("://me:", "://you:")
        workspace = Workspace(
            tmp_path / "context", tmp_path, {"http_proxy": wrong, "https_proxy": wrong}, lambda _: None
        )
        with pytest.raises(JobError) as caught:
            fetch(SourceRequest(parse_source(url)), workspace)
    assert (caught.value.failure.reason, caught.value.failure.message) == (
        Reason.SOURCE_UNAUTHORIZED,
        "The HTTP proxy refused the user or password (407).",
    )
