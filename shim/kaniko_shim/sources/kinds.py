"""SOURCE_GET_URL, read into one value per kind of source."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, unquote_to_bytes, urlsplit

from kaniko_shim.references import ImageReference, parse_reference
from kaniko_shim.sources.remotes import is_scp_form, parse_remote

SUPPORTED = (
    "dir://, file://, http(s)://, data:, git+https://, git+http://, git://, https://….git, ssh://, "
    "user@host:path and oci://"
)

_LATER = {"s3", "gs", "docker", "ftp", "sftp", "tar", "http+unix"}
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REF = re.compile(r"(?!-)(?!.*(?:\.\.|@\{|//))[A-Za-z0-9._/+@-]+(?<![/.])")
_SHORTEST_TOKEN = 16


@dataclass(frozen=True, slots=True)
class DirectorySource:
    """A directory of the builder's own file system."""

    path: str


@dataclass(frozen=True, slots=True)
class FileSource:
    """An archive in the builder's own file system."""

    path: str


@dataclass(frozen=True, slots=True)
class HttpSource:
    """An archive behind a URL; the URL may hold a signature or a password."""

    url: str


@dataclass(frozen=True, slots=True)
class DataSource:
    """An archive in the URL itself."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class GitSource:
    """A commit of a Git repository.

    Attributes:
        url: http(s)://, git://, ssh:// or user@host:path.
        ref: branch, tag or full commit; empty means the remote's HEAD.
        subdir: directory of the tree that is the context; empty means all of it.
    """

    url: str
    ref: str = ""
    subdir: str = ""

    @property
    def commit(self) -> str:
        """The ref if it is a full commit id, else empty."""
        return self.ref if _COMMIT.fullmatch(self.ref) else ""


@dataclass(frozen=True, slots=True)
class OciSource:
    """An artifact or image in a registry, whose layers are the context."""

    image: ImageReference


Source = DirectorySource | FileSource | HttpSource | DataSource | GitSource | OciSource


def parse_source(text: str) -> Source:
    """Read a SOURCE_GET_URL.

    Raises:
        ValueError: says which forms there are; quotes no part of the URL behind its scheme.
    """
    text = text.strip()
    bare = text.partition("#")[0]
    if is_scp_form(bare):
        return _parse_git(bare, text.partition("#")[2])
    if any(ord(character) <= ord(" ") for character in text):
        raise ValueError("a URL has no blanks; write %20 for a space")
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon:
        raise ValueError(f"write a URL: {SUPPORTED}")
    if scheme == "data":
        return _parse_data(rest)
    if scheme == "oci":
        return OciSource(parse_reference(rest.removeprefix("//")))
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise ValueError("the URL's host or port is malformed") from error
    match scheme:
        case "dir" | "file":
            return _parse_local(scheme, url)
        case "http" | "https" if not url.path.endswith(".git"):
            _need_host(url)
            return HttpSource(text.partition("#")[0])
        case "http" | "https" | "git" | "ssh" | "git+http" | "git+https" | "git+ssh":
            _need_host(url)
            return _parse_git(text[len(scheme) - len(scheme.removeprefix("git+")) :].partition("#")[0], url.fragment)
        case _:
            pass
    later = f"{scheme}:// is not supported yet" if scheme in _LATER else f"{scheme}: is no known kind of source"
    raise ValueError(f"{later}; use {SUPPORTED}")


def secrets_in_url(source: Source) -> Iterator[str]:
    """A URL's password, and the values behind its ? that are long enough to be tokens."""
    if not isinstance(source, HttpSource | GitSource):
        return
    if isinstance(source, GitSource) and (remote := parse_remote(source.url)).scheme == "ssh":
        # The user name of an SSH URL is no secret: nearly always it is git.
        yield from filter(None, [remote.password])
        return
    parts = urlsplit(source.url)
    # A token may stand where a user name belongs, if no password does.
    if secret := parts.password or parts.username:
        yield from {secret, unquote(secret)}
    for pair in parts.query.split("&"):
        value = pair.partition("=")[2]
        if len(value) >= _SHORTEST_TOKEN:
            yield from {value, unquote(value)}


def _need_host(url: SplitResult) -> None:
    if not url.hostname:
        raise ValueError("the URL names no host")


def _parse_local(scheme: str, url: SplitResult) -> DirectorySource | FileSource:
    if url.netloc not in {"", "localhost"} or not url.path.startswith("/"):
        raise ValueError(f"write {scheme}:/// and an absolute path, with three slashes")
    if url.query or url.fragment:
        raise ValueError(f"a {scheme}:// URL has no ? and no #; write them as %3F and %23")
    path = unquote(url.path)
    if "\0" in path:
        raise ValueError("a path can't hold a NUL character")
    return DirectorySource(path) if scheme == "dir" else FileSource(path)


def _parse_data(rest: str) -> DataSource:
    import binascii  # noqa: PLC0415 - for this kind only

    head, comma, body = rest.partition(",")
    if not comma:
        raise ValueError("a data: URL has a comma between its type and its content")
    if not head.lower().endswith(";base64"):
        return DataSource(unquote_to_bytes(body))
    encoded = unquote_to_bytes(body) if "%" in body else body.encode("ascii", "replace")
    encoded = encoded.rstrip(b"=")
    try:
        return DataSource(binascii.a2b_base64(encoded + b"=" * (-len(encoded) % 4), strict_mode=True))
    except binascii.Error as error:
        raise ValueError("the content of the data: URL is not base64") from error


def _parse_git(url: str, fragment: str) -> GitSource:
    parse_remote(url)
    ref, _, subdir = unquote(fragment).partition(":")
    if ref and not _REF.fullmatch(ref):
        raise ValueError("write a branch, a tag or a full commit id behind #")
    parts = [part for part in subdir.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise ValueError("the directory behind #…: must lie inside the repository")
    return GitSource(url, ref, "/".join(parts))
