"""Fetches the objects of one commit from a Git server, without its history where the server allows it."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from dulwich.client import GitClient, TCPGitClient, Urllib3HttpGitClient
from dulwich.errors import GitProtocolError
from dulwich.objects import Commit, ObjectID, Tag
from dulwich.refs import Ref
from dulwich.repo import BaseRepo

from kaniko_shim.net.meter import Meter
from kaniko_shim.net.proxies import connect
from kaniko_shim.net.tls import tls_context
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.sources.git.failures import is_broken
from kaniko_shim.sources.git.remotes import Remote
from kaniko_shim.sources.git.ssh_access import SshAccess

if TYPE_CHECKING:
    from kaniko_shim.sources.git.ssh import SshClient

_TIMEOUT = 60
_PEELED = b"^{}"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_BRANCH_OR_TAG = re.compile(rb"refs/(?:heads|tags)/.*(?<!\^\{\})")


@dataclass(frozen=True, slots=True)
class Access:
    """Credentials for one origin, and the surroundings of a fetch.

    Attributes:
        origin: the origin of the repository that the credentials are for.
        username: the user for HTTP and SSH; empty for the URL's, or the default.
        password: the password for HTTP.
        ssh: keys and known hosts.
        environment: the variables for proxies and CA certificates.
        say: writes a line of the log.
        max_bytes: limit on what is fetched from one repository.
    """

    origin: tuple[str, str, int]
    username: str
    password: str
    ssh: SshAccess
    environment: Mapping[str, str]
    say: Callable[[str], None]
    max_bytes: int = 1 << 62


def fetch_objects(remote: Remote, ref: str, access: Access, repo: BaseRepo, leave_out: bytes | None = None) -> ObjectID:
    """Fetch the commit that a ref names, or HEAD, with its tree.

    Args:
        remote: the repository.
        ref: a branch, a tag or a full commit; empty for HEAD.
        access: the credentials.
        repo: where the objects go.
        leave_out: which objects are left out where the server allows it, as `git fetch --filter` takes it.

    Returns:
        The commit.

    Raises:
        JobError: SourceNotFound, SourceInvalid or SourceUnauthorized.
        GitProtocolError: the server answered with an error, or not as expected.
        OSError: the connection failed.
    """
    path = remote.path
    with _client(remote, access) as client:
        _limit(client, remote, access)
        if _COMMIT.fullmatch(ref):
            return _fetch_commit(client, remote, ObjectID(ref.encode()), repo)
        chosen = list[ObjectID]()

        def want_ref(refs: Mapping[Ref, ObjectID | None], depth: int | None = None) -> list[ObjectID]:  # noqa: ARG001
            chosen[:] = [choose(refs, ref, remote.shown)]
            return chosen

        client.fetch(path, repo, determine_wants=want_ref, depth=1, filter_spec=leave_out)
        return _peel(repo, chosen[0])


def find_commit(remote: Remote, ref: str, access: Access) -> str:
    """The commit that a branch or tag names now, or HEAD; nothing is fetched.

    Raises:
        JobError, GitProtocolError, OSError: as of `fetch_objects`.
    """
    if _COMMIT.fullmatch(ref):
        return ref
    with _client(remote, access) as client:
        refs = client.get_refs(remote.path.encode()).refs
    # An annotated tag is an object of its own.
    peeled = {name.removesuffix(_PEELED): found for name, found in refs.items() if name.endswith(_PEELED)}
    return choose({**refs, **peeled}, ref, remote.shown).decode()  # type: ignore[dict-item] # a Ref is bytes


def choose(refs: Mapping[Ref, ObjectID | None], ref: str, shown: str) -> ObjectID:
    """The object that a branch or tag names; HEAD for an empty ref.

    Raises:
        JobError: SourceNotFound; the repository has no such branch or tag.
    """
    wanted = ref.encode()
    names = [b"refs/heads/" + wanted, b"refs/tags/" + wanted, wanted] if wanted else [b"HEAD"]
    for name in names:
        if found := refs.get(cast("Ref", name)):
            return found
    what = f"branch or tag {ref!r}" if wanted else "HEAD: it may be empty"
    raise JobError(
        Reason.SOURCE_NOT_FOUND,
        f"{shown} has no {what}.",
        hint="Write a branch, a tag or all 40 digits of a commit after #.",
    )


def _fetch_commit(client: GitClient, remote: Remote, commit: ObjectID, repo: BaseRepo) -> ObjectID:
    def want_commit(refs: Mapping[Ref, ObjectID | None], depth: int | None = None) -> list[ObjectID]:  # noqa: ARG001
        return [commit]

    try:
        client.fetch(remote.path, repo, determine_wants=want_commit, depth=1)
    except (GitProtocolError, EOFError, KeyError) as error:
        if is_broken(error):
            raise
        # Not every server sends a commit that no branch or tag names.
        client.fetch(remote.path, repo, determine_wants=_want_all)
    if commit not in repo.object_store:
        raise JobError(Reason.SOURCE_NOT_FOUND, f"{remote.shown} has no commit {commit.decode()}.")
    return _peel(repo, commit)


def _want_all(refs: Mapping[Ref, ObjectID | None], depth: int | None = None) -> list[ObjectID]:  # noqa: ARG001
    return list({found for name, found in refs.items() if found and _BRANCH_OR_TAG.fullmatch(name)})


def _limit(client: GitClient, remote: Remote, access: Access) -> None:
    """Count the bytes that arrive, and stop above the limit."""
    meter = Meter(access.say)
    fetch_pack = client.fetch_pack
    size = 0

    def limited(
        path: str | bytes, wants: object, walker: object, write: Callable[[bytes], int], **more: object
    ) -> object:
        def counted(data: bytes) -> int:
            nonlocal size
            size += len(data)
            meter.count(len(data))
            if size > access.max_bytes:
                raise JobError(
                    Reason.SOURCE_TOO_LARGE,
                    f"{remote.shown} sends more than {access.max_bytes} bytes.",
                    hint="Name a branch or tag, which is fetched without its history, or raise SOURCE_MAX_BYTES.",
                )
            return write(data)

        return fetch_pack(path, wants, walker, counted, **more)  # type: ignore[arg-type] # as they came

    client.fetch_pack = limited  # type: ignore[method-assign, assignment] # the library has no hook for it


@contextmanager
def _client(remote: Remote, access: Access) -> Iterator[GitClient]:
    ours = remote.origin == access.origin
    username = (access.username if ours else "") or remote.username
    password = (access.password if ours else "") or remote.password
    if remote.scheme == "git":
        yield TCPGitClient(remote.host, remote.port)
    elif remote.scheme == "ssh":
        with closing(_ssh_client(remote, username, access, ours=ours)) as client:
            yield client
    else:
        if password and not username:
            # Servers that accept a token accept any name with it.
            username = "git"
        context = tls_context(access.environment) if remote.scheme == "https" else None
        with connect(remote.url + "/", access.environment, context) as pool:
            # Some servers answer only clients that call themselves git.
            pool.headers = {"User-Agent": "git/2.0 (kaniko-shim)"}
            yield Urllib3HttpGitClient(
                remote.url + "/",
                pool_manager=pool,
                username=username or None,
                password=password or None,
                timeout=_TIMEOUT,
            )


def _ssh_client(remote: Remote, username: str, access: Access, *, ours: bool) -> "SshClient":
    from kaniko_shim.sources.git.ssh import SshClient  # noqa: PLC0415 - takes half a second, and only SSH needs it

    if not ours:
        raise JobError(
            Reason.SOURCE_UNAUTHORIZED,
            f"The submodule {remote.shown} needs SSH, but the key is only for the context's own server.",
            hint="Give the submodule an https:// URL, or one on the same server.",
        )
    return SshClient(remote.host, remote.port, username or "git", access.ssh, access.say)


def _peel(repo: BaseRepo, identity: ObjectID) -> ObjectID:
    found = repo[identity]
    while isinstance(found, Tag):
        found = repo[found.object[1]]
    if not isinstance(found, Commit):
        raise JobError(Reason.SOURCE_INVALID, f"{identity.decode()} is not a commit.")
    return found.id
