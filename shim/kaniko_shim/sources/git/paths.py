"""Whether a commit changes what some paths select, found without its history and its files."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import cast

from dulwich.objects import Commit, ObjectID, Tree
from dulwich.repo import BaseRepo, MemoryRepo

from kaniko_shim.dockerignore.find import pattern_rules
from kaniko_shim.sources.git.objects import Access, fetch_objects
from kaniko_shim.sources.git.remotes import Remote

_NO_FILES = b"blob:none"
# In memory. A repository with a million files has less, unless its server sends the files, too.
_MOST_BYTES = 64 * 1024 * 1024
_DIRECTORY = 0o040000
_DEEPEST = 200


def look_at_paths(remote: Remote, ref: str, access: Access, patterns: Sequence[str]) -> tuple[str, str]:
    """The commit that a branch or tag names now, and a hash of what it has below some paths.

    Args:
        remote: the repository.
        ref: the branch or tag.
        access: the credentials.
        patterns: as in a .dockerignore; `!` takes something out.

    Raises:
        JobError, GitProtocolError, OSError: as of `fetch_objects`. JobError: SourceInvalid; a pattern is malformed.
    """
    rules = pattern_rules(patterns, "paths")
    checksum = sha256()
    access = replace(access, max_bytes=_MOST_BYTES)
    repo = MemoryRepo()
    commit = fetch_objects(remote, ref, access, repo, _NO_FILES)
    for path, entry in _walk(repo, cast("Commit", repo[commit]).tree, "", 0):
        if rules.ignoring(path) is not None:
            checksum.update(f"{path}\0{entry}\0".encode("utf-8", "surrogateescape"))
    return commit.decode(), checksum.hexdigest()


def _walk(repo: BaseRepo, identity: ObjectID, above: str, depth: int) -> Iterator[tuple[str, str]]:
    """Each file below a tree, with its mode and the name of its content."""
    for item in cast("Tree", repo[identity]).iteritems():
        path = above + (item.path or b"").decode("utf-8", "surrogateescape")
        if item.mode == _DIRECTORY and depth < _DEEPEST:
            yield from _walk(repo, item.sha, f"{path}/", depth + 1)
        else:
            yield path, f"{item.mode:o} {item.sha.decode()}"
