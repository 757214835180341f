"""A commit of a Git repository as the context.

Only objects are fetched, and the tree is written by the same careful writer as an archive: no hook, filter,
configuration or link of the repository has any effect. Submodules and Git LFS content are left out.
"""

import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import cast
from urllib.parse import unquote, urlsplit

from dulwich.client import GitClient, HTTPUnauthorized, TCPGitClient, Urllib3HttpGitClient
from dulwich.errors import GitProtocolError, NotGitRepository
from dulwich.objects import S_ISGITLINK, Blob, Commit, ObjectID, Tag, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from kaniko_shim.archives import tree as trees
from kaniko_shim.archives.entries import Entry, Kind
from kaniko_shim.errors import JobError
from kaniko_shim.masking import mask_url
from kaniko_shim.reasons import Reason
from kaniko_shim.request import SourceRequest
from kaniko_shim.result import SourceReport
from kaniko_shim.sources.kinds import GitSource
from kaniko_shim.sources.place import Place
from kaniko_shim.sources.proxies import connect
from kaniko_shim.sources.trust import tls_context

ATTEMPTS = 4
FIRST_PAUSE = 1.0
"""Seconds before the second attempt; each further pause is twice as long."""

_TIMEOUT = 60
_SYMLINK, _EXECUTABLE = 0o120000, 0o100
_HTTP_STATUS = re.compile(r"unexpected http resp (\d+)")
_BRANCH_OR_TAG = re.compile(rb"refs/(?:heads|tags)/.*(?<!\^\{\})")


def fetch_git(source: GitSource, request: SourceRequest, place: Place) -> SourceReport:
    """Fetch a commit and write its tree.

    Raises:
        JobError: a Source… reason, or DiskFull.
    """
    scratch = place.scratch / "git"
    pause = FIRST_PAUSE
    shown = mask_url(source.url)
    for attempt in range(1, ATTEMPTS + 1):
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            with Repo.init_bare(str(scratch), mkdir=True) as repo:
                commit = _fetch(source, request, place.environment, repo)
                with trees.Tree(place.into, max_bytes=request.max_bytes, max_entries=request.max_entries) as tree:
                    _check_out(repo, commit, tree, place.say)
                return SourceReport(shown, revision=commit.decode(), size=tree.size)
        except (GitProtocolError, HTTPUnauthorized, OSError, EOFError) as error:
            problem = _final(error, shown) or mask_url(str(error) or type(error).__name__)
            if isinstance(problem, JobError):
                raise problem from error
            if attempt == ATTEMPTS:
                message = f"{shown} could not be fetched in {ATTEMPTS} attempts: {problem}."
                raise JobError(Reason.SOURCE_UNAVAILABLE, message) from error
            place.say(f"fetching {shown} failed ({problem}); attempt {attempt + 1} of {ATTEMPTS} in {pause:.0f} s")
            time.sleep(pause)
            pause *= 2
            place.clear()
        except NotGitRepository as error:
            raise JobError(Reason.SOURCE_NOT_FOUND, f"There is no Git repository at {shown}.") from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    raise AssertionError


def choose(refs: Mapping[Ref, ObjectID | None], source: GitSource) -> ObjectID:
    """The object that a branch, a tag or nothing (HEAD) names.

    Raises:
        JobError: SourceNotFound; the repository has no such branch or tag.
    """
    wanted = source.ref.encode()
    names = [b"refs/heads/" + wanted, b"refs/tags/" + wanted, wanted] if wanted else [b"HEAD"]
    for name in names:
        if found := refs.get(cast("Ref", name)):
            return found
    what = f"branch or tag {source.ref!r}" if wanted else "HEAD: it may be empty"
    raise JobError(
        Reason.SOURCE_NOT_FOUND,
        f"{mask_url(source.url)} has no {what}.",
        hint="Write a branch, a tag or all 40 digits of a commit behind #.",
    )


def _fetch(source: GitSource, request: SourceRequest, environment: Mapping[str, str], repo: Repo) -> ObjectID:
    path = urlsplit(source.url).path
    with _client(source, request, environment) as client:
        if source.commit:
            return _fetch_commit(client, path, source, repo)
        chosen = list[ObjectID]()

        def want_ref(refs: Mapping[Ref, ObjectID | None], depth: int | None = None) -> list[ObjectID]:  # noqa: ARG001
            chosen[:] = [choose(refs, source)]
            return chosen

        client.fetch(path, repo, determine_wants=want_ref, depth=1)
        return _peel(repo, chosen[0])


def _fetch_commit(client: GitClient, path: str, source: GitSource, repo: Repo) -> ObjectID:
    commit = ObjectID(source.commit.encode())

    def want_commit(refs: Mapping[Ref, ObjectID | None], depth: int | None = None) -> list[ObjectID]:  # noqa: ARG001
        return [commit]

    try:
        client.fetch(path, repo, determine_wants=want_commit, depth=1)
    except (GitProtocolError, OSError, EOFError, KeyError):
        # Not every server hands out a commit that is not at the end of a branch.
        client.fetch(path, repo, determine_wants=_want_all)
    if commit not in repo.object_store:
        raise JobError(Reason.SOURCE_NOT_FOUND, f"{mask_url(source.url)} has no commit {source.commit}.")
    return _peel(repo, commit)


def _want_all(refs: Mapping[Ref, ObjectID | None], depth: int | None = None) -> list[ObjectID]:  # noqa: ARG001
    return list({found for name, found in refs.items() if found and _BRANCH_OR_TAG.fullmatch(name)})


@contextmanager
def _client(source: GitSource, request: SourceRequest, environment: Mapping[str, str]) -> Iterator[GitClient]:
    parts = urlsplit(source.url)
    if parts.scheme == "git":
        yield TCPGitClient(parts.hostname or "", parts.port)
        return
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], path="/").geturl()
    username = request.username or unquote(parts.username or "")
    password = request.password or unquote(parts.password or "")
    if password and not username:
        # Servers that take a token take any name with it.
        username = "git"
    context = tls_context(environment) if parts.scheme == "https" else None
    with connect(bare, environment, context) as pool:
        # Some servers give other answers to what does not call itself git.
        pool.headers = {"User-Agent": "git/2.0 (kaniko-shim)"}
        yield Urllib3HttpGitClient(
            bare, pool_manager=pool, username=username or None, password=password or None, timeout=_TIMEOUT
        )


def _peel(repo: Repo, identity: ObjectID) -> ObjectID:
    found = repo[identity]
    while isinstance(found, Tag):
        found = repo[found.object[1]]
    if not isinstance(found, Commit):
        raise JobError(Reason.SOURCE_INVALID, f"{identity.decode()} is no commit.")
    return found.id


def _check_out(repo: Repo, commit: ObjectID, tree: trees.Tree, say: Callable[[str], None]) -> None:
    root = cast("Commit", repo[commit]).tree
    for entry in _walk(repo, root, "", say):
        tree.add(entry)


def _walk(repo: Repo, identity: ObjectID, prefix: str, say: Callable[[str], None]) -> Iterator[Entry]:
    for item in cast("Tree", repo[identity]).iteritems():
        name = prefix + item.path.decode("utf-8", "surrogateescape")
        if S_ISGITLINK(item.mode):
            say(f"the submodule {name} is left out of the context")
            continue
        found = repo[item.sha]
        if isinstance(found, Tree):
            yield Entry(name, Kind.DIRECTORY, 0o755)
            yield from _walk(repo, item.sha, name + "/", say)
        elif isinstance(found, Blob) and item.mode & 0o170000 == _SYMLINK:
            yield Entry(name, Kind.SYMLINK, target=found.data.decode("utf-8", "surrogateescape"))
        elif isinstance(found, Blob):
            mode = 0o755 if item.mode & _EXECUTABLE else 0o644
            yield Entry(name, Kind.FILE, mode, chunks=found.chunked)


def _final(error: Exception, shown: str) -> JobError | None:
    """The failure, if another attempt would end the same way."""
    status = match[1] if (match := _HTTP_STATUS.search(str(error))) else ""
    if isinstance(error, HTTPUnauthorized) or status in {"401", "403"}:
        return JobError(
            Reason.SOURCE_UNAUTHORIZED,
            f"{shown} refused access.",
            hint="Give SOURCE_USERNAME and SOURCE_PASSWORD; check the URL too, since a server may say the same of a "
            "repository that does not exist.",
        )
    if status in {"404", "410"}:
        return JobError(Reason.SOURCE_NOT_FOUND, f"There is no Git repository at {shown}.")
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return JobError(
            Reason.SOURCE_UNAVAILABLE,
            f"The certificate of {shown} is not trusted.",
            hint="Mount the authority's certificate into the directory that SSL_CERT_DIR names.",
        )
    return None
