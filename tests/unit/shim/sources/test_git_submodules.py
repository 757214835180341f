"""Submodules, fetched from Git's own HTTP backend."""

from base64 import b64encode
from pathlib import Path

import pytest
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sources.fetch import fetch
from kaniko_shim.sources.kinds import parse_source
from kaniko_shim.sources.source_request import SourceRequest
from support.git_server import git, serve_git
from unit.shim.sources.git_tree import make_repository, names, workspace

USER = "Basic " + b64encode(b"user:pass").decode()


def add_submodule(repository: Path, path: str, url: str, commit: str) -> None:
    modules = repository / ".gitmodules"
    old = modules.read_text() if modules.exists() else ""
    modules.write_text(f'{old}[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n')
    git(repository, "add", ".gitmodules")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    git(repository, "commit", "--quiet", "-m", path)


def test_submodules_of_submodules_with_credentials(tmp_path: Path):
    app, library, deep = (make_repository(tmp_path / "served" / f"{name}.git") for name in ("app", "library", "deep"))
    add_submodule(library, "deep", "../deep.git", git(deep, "rev-parse", "v1^{commit}"))
    add_submodule(app, "vendor/library", "../library.git", git(library, "rev-parse", "HEAD"))
    with serve_git(tmp_path / "served", lambda given: given == USER) as base:
        request = SourceRequest(parse_source(f"{base}/app.git"), "user", "pass", submodules=True)
        report = fetch(request, workspace(tmp_path))
    assert report.revision == git(app, "rev-parse", "HEAD")
    found = names(tmp_path)
    assert "vendor/library/second.txt" in found
    assert "vendor/library/deep/Dockerfile" in found
    assert "vendor/library/deep/second.txt" not in found
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.shows("A8")
def test_credentials_stay_with_their_server(tmp_path: Path):
    app, library = (make_repository(tmp_path / where / f"{where}.git") for where in ("app", "library"))
    asked = list[str]()

    def other(given: str) -> bool:
        asked.append(given)
        return True

    with serve_git(library.parent, other) as elsewhere, serve_git(app.parent, lambda given: given == USER) as base:
        add_submodule(app, "library", f"{elsewhere}/library.git", git(library, "rev-parse", "HEAD"))
        request = SourceRequest(parse_source(f"{base}/app.git"), "user", "pass", submodules=True)
        fetch(request, workspace(tmp_path))
    assert "library/Dockerfile" in names(tmp_path)
    assert set(asked) == {""}


@pytest.mark.shows("A10")
@pytest.mark.parametrize("url", ["file:///etc", "ext::sh", "--upload-pack=id", "../../../etc", ""])
def test_urls_that_are_refused(tmp_path: Path, url: str):
    app = make_repository(tmp_path / "served" / "app.git")
    add_submodule(app, "library", url, "1" * 40)
    with serve_git(app.parent) as base, pytest.raises(JobError) as caught:
        fetch(SourceRequest(parse_source(f"{base}/app.git"), submodules=True), workspace(tmp_path))
    assert caught.value.failure.reason is Reason.SOURCE_INVALID
    assert "The submodule library can't be fetched" in caught.value.failure.message


@pytest.mark.shows("A8")
def test_the_key_is_for_the_contexts_own_server(tmp_path: Path):
    app = make_repository(tmp_path / "served" / "app.git")
    add_submodule(app, "library", "git@127.0.0.1:library.git", "1" * 40)
    with serve_git(app.parent) as base, pytest.raises(JobError) as caught:
        fetch(SourceRequest(parse_source(f"{base}/app.git"), submodules=True), workspace(tmp_path))
    assert caught.value.failure.reason is Reason.SOURCE_UNAUTHORIZED
