import gc
import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.sources.fetch import context_directory, fetch
from kaniko_shim.sources.kinds import parse_source
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace
from support.git_server import git, serve_git
from unit.shim.sources.git_tree import make_repository, names, workspace
from unit.shim.sources.servers import Answer, serve


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "served" / "app.git")


@pytest.fixture
def url(repository: Path) -> Iterator[str]:
    with serve_git(repository.parent) as base:
        yield f"{base}/app.git"


@pytest.mark.parametrize(
    ("ref", "extra"),
    [
        ("", ["second.txt"]),
        ("#main", ["second.txt"]),
        ("#v1", []),
        ("#feature/x", ["second.txt", "third.txt"]),
        ("#refs/heads/main", ["second.txt"]),
    ],
)
def test_a_branch_a_tag_or_head(repository: Path, url: str, tmp_path: Path, ref: str, extra: list[str]):
    report = fetch(SourceRequest(parse_source(url + ref)), workspace(tmp_path))
    revision = git(repository, "rev-parse", (ref.lstrip("#") or "HEAD") + "^{commit}")
    committed = int(git(repository, "show", "--no-patch", "--format=%ct", revision))
    assert report == SourceReport(url, revision=revision, size=report.size, committed=committed)
    assert names(tmp_path) == sorted(["Dockerfile", "link", "run.sh", "sub", "sub/deep.txt", *extra])
    assert (tmp_path / "context/run.sh").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "context/link").readlink() == Path("sub/deep.txt")
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("allow", ["true", "false"])
def test_a_commit_whether_or_not_the_server_hands_out_any(repository: Path, url: str, tmp_path: Path, allow: str):
    git(repository, "config", "uploadpack.allowAnySHA1InWant", allow)
    commit = git(repository, "rev-parse", "v1^{commit}")
    report = fetch(SourceRequest(parse_source(f"git+{url}#{commit}:sub")), workspace(tmp_path))
    assert report.revision == commit
    assert context_directory(tmp_path / "context", SourceRequest(parse_source(f"git+{url}#{commit}:sub"))).name == "sub"
    assert "second.txt" not in names(tmp_path)


def _damaged(content: bytes) -> bytes:
    begin = content.index(b"PACK") + 40
    return content[:begin] + bytes([content[begin] ^ 0xFF]) + content[begin + 1 :]


# The library leaves a temporary file to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("spoil", [lambda _: None, _damaged], ids=["reset", "damaged"])
@pytest.mark.parametrize("ref", ["v1", ""], ids=["commit", "branch"])
def test_what_breaks_is_fetched_again_without_its_history(
    repository: Path, tmp_path: Path, ref: str, spoil: Callable[[bytes], bytes | None]
):
    git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    wanted = git(repository, "rev-parse", f"{ref}^{{commit}}") if ref else "main"
    asked = list[bytes]()

    def changed(body: bytes, content: bytes) -> bytes | None:
        if b"PACK" not in content:
            return content
        asked.append(body)
        return spoil(content) if len(asked) == 1 else content

    with serve_git(repository.parent, changed=changed) as base:
        fetch(SourceRequest(parse_source(f"git+{base}/app.git#{wanted}")), workspace(tmp_path))
    assert [b"deepen 1" in body for body in asked] == [True, True]
    assert (tmp_path / "context/Dockerfile").exists()


@pytest.mark.parametrize("ref", ["nosuch", "0" * 40])
def test_an_unknown_ref(url: str, tmp_path: Path, ref: str):
    with pytest.raises(JobError) as caught:
        fetch(SourceRequest(parse_source(f"{url}#{ref}")), workspace(tmp_path))
    assert caught.value.failure.reason is Reason.SOURCE_NOT_FOUND
    assert ref in caught.value.failure.message


def test_credentials(repository: Path, tmp_path: Path):
    expected = "Basic " + b64encode(b"user:pass word").decode()
    with serve_git(repository.parent, lambda given: given == expected) as base:
        source = parse_source(f"{base}/app.git")
        with pytest.raises(JobError) as caught:
            fetch(SourceRequest(source), workspace(tmp_path))
        assert caught.value.failure.reason is Reason.SOURCE_UNAUTHORIZED
        fetch(SourceRequest(source, "user", "pass word"), workspace(tmp_path))
    assert "Dockerfile" in names(tmp_path)


def test_no_repository(url: str, tmp_path: Path):
    with pytest.raises(JobError) as caught:
        fetch(SourceRequest(parse_source(url.replace("app", "other"))), workspace(tmp_path))
    assert caught.value.failure.reason is Reason.SOURCE_NOT_FOUND


def test_submodules_are_left_out(repository: Path, url: str, tmp_path: Path):
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendored")
    git(repository, "commit", "--quiet", "-m", "submodule")
    said = list[str]()
    (tmp_path / "scratch").mkdir()
    fetch(SourceRequest(parse_source(url)), Workspace(tmp_path / "context", tmp_path / "scratch", {}, said.append))
    assert said == ["the submodule vendored is not fetched; set GIT_SUBMODULES=true to fetch it"]
    assert "vendored" not in names(tmp_path)


@pytest.mark.shows("A4")
def test_a_repository_may_not_send_more_than_a_context_may_have(repository: Path, url: str, tmp_path: Path):
    (repository / "noise").write_bytes(os.urandom(200_000))
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "large")
    with pytest.raises(JobError) as caught:
        fetch(SourceRequest(parse_source(url), max_bytes=100_000), workspace(tmp_path))
    assert caught.value.failure.reason is Reason.SOURCE_TOO_LARGE
    assert f"{url} sends more than 100000 bytes" in caught.value.failure.message
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.shows("A6")
@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]"])
def test_a_server_may_not_lead_to_the_metadata_of_the_machine(tmp_path: Path, host: str):
    away = Answer(302, headers={"Location": f"http://{host}/app.git/info/refs?service=git-upload-pack"})
    with serve(away) as server:
        with pytest.raises(JobError) as caught:
            fetch(SourceRequest(parse_source(f"git+{server.url}/app.git")), workspace(tmp_path))
        assert len(server.asked) == 1
    assert caught.value.failure.reason is Reason.SOURCE_INVALID
    assert "the address of a metadata server" in caught.value.failure.message


@pytest.mark.shows("A5")
def test_credentials_do_not_follow_a_redirect(repository: Path, tmp_path: Path):
    given = list[str]()

    def allowed(authorization: str) -> bool:
        given.append(authorization)
        return True

    with serve_git(repository.parent, allowed) as other:
        away = Answer(302, headers={"Location": f"{other}/app.git/info/refs?service=git-upload-pack"})
        with serve(away) as server:
            fetch(SourceRequest(parse_source(f"git+{server.url}/app.git"), "me", "s3cret"), workspace(tmp_path))
            assert [asked.authorization != "" for asked in server.asked] == [True]
    assert "Dockerfile" in names(tmp_path)
    assert set(given) == {""}


# dulwich leaves its temporary files to the garbage collector when it is interrupted.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.shows("A49")
@pytest.mark.parametrize("kind", ["whole", "delta"])
def test_an_object_may_not_unpack_to_more_than_is_read(
    repository: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    monkeypatch.setattr("kaniko_shim.sources.git.limits.LARGEST_OBJECT", 3_000_000)
    # Two files that are alike: git sends one as what differs from the other.
    part = os.urandom(2_000_000) if kind == "delta" else b""
    (repository / "small").write_bytes(part)
    (repository / "large").write_bytes(part * 2 if kind == "delta" else bytes(5_000_000))
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "bomb")
    git(repository, "repack", "-adq")
    with pytest.raises(JobError, match=r"has an object of [0-9]+ bytes; at most 3000000 are read") as caught:
        fetch(SourceRequest(parse_source(url + "#main")), workspace(tmp_path))
    assert caught.value.failure.reason is Reason.SOURCE_TOO_LARGE
    del caught
    gc.collect()
