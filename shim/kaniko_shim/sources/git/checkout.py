"""Fetches a commit of a Git repository as the context.

Only objects are fetched, and their files are written like those of an archive, so that no hook, filter,
configuration or link of the repository has any effect. Git LFS content is not fetched.
"""

import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import cast

from dulwich.client import HTTPUnauthorized
from dulwich.errors import ApplyDeltaError, ChecksumMismatch, FileFormatException, GitProtocolError, NotGitRepository
from dulwich.objects import Commit, ObjectID
from dulwich.pack import UnresolvedDeltas
from dulwich.repo import Repo

from kaniko_shim.archives import tree as trees
from kaniko_shim.log.masking import mask_url
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import SourceReport
from kaniko_shim.sources.fetch_retries import FetchRetries
from kaniko_shim.sources.git.failures import final_failure
from kaniko_shim.sources.git.limits import bounded_objects
from kaniko_shim.sources.git.objects import Access, fetch_objects
from kaniko_shim.sources.git.remotes import Remote, parse_remote
from kaniko_shim.sources.git.tree import Submodules, walk
from kaniko_shim.sources.kinds import GitSource
from kaniko_shim.sources.source_request import SourceRequest
from kaniko_shim.sources.workspace import Workspace

_DAMAGED = (ChecksumMismatch, FileFormatException, ApplyDeltaError, UnresolvedDeltas, zlib.error)
"""What a pack that was damaged on its way looks like."""


def fetch_git(source: GitSource, request: SourceRequest, workspace: Workspace) -> SourceReport:
    """Fetch a commit and write its tree.

    Raises:
        JobError: a Source… reason, or DiskFull.
    """
    remote = parse_remote(source.url)
    access = Access(
        remote.origin,
        request.username or remote.username,
        request.password or remote.password,
        replace(request.ssh, password=request.ssh.password or remote.password),
        workspace.environment,
        workspace.say,
        request.max_bytes,
    )
    scratch = workspace.scratch / "git"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    shown = mask_url(source.url)

    @contextmanager
    def fetched(remote: Remote, ref: str) -> Iterator[tuple[Repo, ObjectID]]:
        with _retried(remote, ref, access, scratch) as found:
            yield found

    try:
        with bounded_objects(request.max_bytes), fetched(remote, source.ref) as (repo, commit):
            submodules = Submodules(fetched if request.submodules else None, workspace.say)
            with trees.Tree(workspace.context, max_bytes=request.max_bytes, max_entries=request.max_entries) as tree:
                for entry in walk(repo, commit, remote, submodules):
                    tree.add(entry)
            committed = cast("Commit", repo[commit]).commit_time
            return SourceReport(shown, revision=commit.decode(), size=tree.size, committed=committed)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _retried(remote: Remote, ref: str, access: Access, scratch: Path) -> Iterator[tuple[Repo, ObjectID]]:
    """A repository with one commit and its tree, which is deleted at the end."""
    retries = FetchRetries(remote.shown, access.say)
    while True:
        # A new directory each time: what a broken attempt left is not part of the next.
        directory = mkdtemp(dir=scratch)
        try:
            with Repo.init_bare(directory) as repo:
                try:
                    commit = fetch_objects(remote, ref, access, repo)
                except NotGitRepository as error:
                    raise JobError(Reason.SOURCE_NOT_FOUND, f"There is no Git repository at {remote.shown}.") from error
                except (GitProtocolError, HTTPUnauthorized, OSError, EOFError, *_DAMAGED) as error:
                    if final := final_failure(error, remote):
                        raise final from error
                    retries.wait(mask_url(str(error).strip() or type(error).__name__))
                    continue
                yield repo, commit
                return
        finally:
            shutil.rmtree(directory, ignore_errors=True)
