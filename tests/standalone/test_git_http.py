"""Git over HTTP as Debian serves it: nginx, fcgiwrap and `git http-backend`, with a password; no image is needed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.packages import ensure
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sources.fetch import fetch
from kaniko_shim.sources.kinds import parse_source
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace
from support.git_server import make_repository, serve_git_with_nginx

FILES = {"Dockerfile": b"FROM scratch\n", "app/word": b"git"}


@pytest.fixture
def commit(tmp_path: Path) -> str:
    return make_repository(tmp_path / "served/team/app.git", FILES)


@pytest.fixture
def url(tmp_path: Path, commit: str) -> Iterator[str]:
    assert commit
    ensure(["nginx", "fcgiwrap", "htpasswd"])
    with serve_git_with_nginx(tmp_path / "served", tmp_path, "me", "s3cret word") as base:
        yield f"{base}/team/app.git"


def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "scratch").mkdir(exist_ok=True)
    return Workspace(tmp_path / "context", tmp_path / "scratch", {}, lambda _: None)


@pytest.mark.parametrize("ref", ["", "#main", "#{commit}"])
def test_a_repository_behind_a_password(url: str, commit: str, tmp_path: Path, ref: str):
    source = parse_source(url + ref.format(commit=commit))
    report = fetch(SourceRequest(source, "me", "s3cret word"), workspace(tmp_path))
    assert (report.url, report.revision) == (url, commit)
    assert {name: (tmp_path / "context" / name).read_bytes() for name in FILES} == FILES


@pytest.mark.parametrize(("username", "password"), [("", ""), ("me", "wrong")])
def test_without_the_password(url: str, tmp_path: Path, username: str, password: str):
    with pytest.raises(JobError) as caught:
        fetch(SourceRequest(parse_source(url), username, password), workspace(tmp_path))
    assert caught.value.failure.reason is Reason.SOURCE_UNAUTHORIZED


def test_a_repository_that_is_not_there(url: str, tmp_path: Path):
    with pytest.raises(JobError) as caught:
        fetch(SourceRequest(parse_source(url.replace("app", "other")), "me", "s3cret word"), workspace(tmp_path))
    assert caught.value.failure.reason is Reason.SOURCE_NOT_FOUND
