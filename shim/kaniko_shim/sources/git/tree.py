"""The files of a commit, and of its submodules if they are requested."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import cast

from dulwich.config import ConfigFile
from dulwich.objects import S_ISGITLINK, Blob, Commit, ObjectID, Tree
from dulwich.repo import Repo

from kaniko_shim.archives.entries import Entry, Kind
from kaniko_shim.log.masking import mask_url
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sources.git.remotes import Remote, resolve

DEEPEST = 10
"""Levels of nested submodules."""

MOST = 200
"""Submodules of one context."""

_MODULES = b".gitmodules"
_SYMLINK, _EXECUTABLE = 0o120000, 0o100

Fetch = Callable[[Remote, str], AbstractContextManager[tuple[Repo, ObjectID]]]
"""Fetches a commit of a remote into a repository that is deleted at the end."""


@dataclass(slots=True)
class Submodules:
    """How submodules are fetched, and how many there are so far.

    Attributes:
        fetch: fetches a submodule; None skips them.
        say: writes a line of the log.
    """

    fetch: Fetch | None
    say: Callable[[str], None]
    count: int = 0


def walk(repo: Repo, commit: ObjectID, remote: Remote, submodules: Submodules) -> Iterator[Entry]:
    """Every file, directory and link of a commit.

    Raises:
        JobError: SourceInvalid, if a submodule has no URL or one that is refused; also whatever fetching raises.
    """
    yield from _Walk(repo, commit, remote, submodules, 0).below(cast("Commit", repo[commit]).tree, "", "")


class _Walk:
    def __init__(self, repo: Repo, commit: ObjectID, remote: Remote, submodules: Submodules, depth: int) -> None:
        self._repo = repo
        self._remote = remote
        self._submodules = submodules
        self._depth = depth
        self._urls = _urls_of_submodules(repo, commit) if submodules.fetch else {}

    def below(self, identity: ObjectID, place: str, path: str) -> Iterator[Entry]:
        """The entries of a tree that goes to `place` of the context, and is `path` in its own repository."""
        for item in cast("Tree", self._repo[identity]).iteritems():
            base = (item.path or b"").decode("utf-8", "surrogateescape")
            name, inside = place + base, path + base
            if S_ISGITLINK(item.mode):
                yield from self._submodule(name, inside, item.sha)
                continue
            found = self._repo[item.sha]
            if isinstance(found, Tree):
                yield Entry(name, Kind.DIRECTORY, 0o755)
                yield from self.below(item.sha, name + "/", inside + "/")
            elif isinstance(found, Blob) and item.mode & 0o170000 == _SYMLINK:
                yield Entry(name, Kind.SYMLINK, target=found.data.decode("utf-8", "surrogateescape"))
            elif isinstance(found, Blob):
                mode = 0o755 if item.mode & _EXECUTABLE else 0o644
                yield Entry(name, Kind.FILE, mode, chunks=found.chunked)

    def _submodule(self, name: str, inside: str, commit: ObjectID) -> Iterator[Entry]:
        ways = self._submodules
        if ways.fetch is None:
            ways.say(f"the submodule {name} is not fetched; set GIT_SUBMODULES=true to fetch it")
            return
        ways.count += 1
        if self._depth == DEEPEST or ways.count > MOST:
            raise JobError(
                Reason.SOURCE_TOO_LARGE, f"The context has more than {MOST} submodules, or more than {DEEPEST} levels."
            )
        url = self._urls.get(inside, "")
        try:
            if not url:
                raise ValueError(".gitmodules has no URL for it")  # noqa: TRY301 - explained with the others below
            remote = resolve(self._remote, url)
        except ValueError as error:
            raise JobError(
                Reason.SOURCE_INVALID,
                f"The submodule {name} can't be fetched: {error}.",
                hint=f"Its URL in .gitmodules is {mask_url(url)[:200]!r}." if url else "",
            ) from error
        ways.say(f"fetching the submodule {name} from {remote.shown}")
        yield Entry(name, Kind.DIRECTORY, 0o755)
        with ways.fetch(remote, commit.decode()) as (repo, found):
            walk_there = _Walk(repo, found, remote, ways, self._depth + 1)
            yield from walk_there.below(cast("Commit", repo[found]).tree, name + "/", "")


def _urls_of_submodules(repo: Repo, commit: ObjectID) -> dict[str, str]:
    """The URL of each submodule by its path in the repository, from .gitmodules; empty if that is a link."""
    tree = cast("Tree", repo[cast("Commit", repo[commit]).tree])
    if _MODULES not in tree:
        return {}
    mode, identity = tree[_MODULES]
    found = repo[identity]
    if not isinstance(found, Blob) or mode & 0o170000 == _SYMLINK:
        return {}
    try:
        config = ConfigFile.from_file(io.BytesIO(found.data))
    except ValueError as error:
        raise JobError(Reason.SOURCE_INVALID, "The repository's .gitmodules can't be read.") from error
    urls = dict[str, str]()
    for section in config.sections():
        if section[0] == b"submodule":
            values = config[section]
            path, url = values.get(b"path") or b"", values.get(b"url") or b""
            urls[path.decode("utf-8", "surrogateescape")] = url.decode("utf-8", "replace")
    return urls
