"""Parses SOURCE_GET_URL into one type per kind of source."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, unquote, unquote_to_bytes, urlsplit

from kaniko_shim.registry.references import ImageReference, parse_reference
from kaniko_shim.sources.git.remotes import is_scp_form, parse_remote

SUPPORTED = (
    "dir://, file://, http(s)://, data:, git+https://, git+http://, git://, https://….git, ssh://, "
    "user@host:path, oci://, s3://bucket/key, gs://bucket/object and "
    "https://ACCOUNT.blob.core.windows.net/container/blob"
)

_OTHERS = {"docker", "ftp", "sftp", "tar", "http+unix"}
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REF = re.compile(r"(?!-)(?!.*(?:\.\.|@\{|//))[A-Za-z0-9._/+@-]+(?<![/.])")
_SHORTEST_TOKEN = 16
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}")
_AZURE = re.compile(r"[a-z0-9]{3,24}\.blob\.core\.(?:windows\.net|chinacloudapi\.cn|usgovcloudapi\.net|cloudapi\.de)")
# A shared access signature in the URL: nothing else is needed to read it.
_SIGNED = re.compile(r"(?:^|&)sig=")


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


class Cloud(StrEnum):
    """The cloud whose protocol a bucket's server speaks."""

    S3 = "s3"
    GOOGLE = "gs"
    AZURE = "azure"


@dataclass(frozen=True, slots=True)
class BucketSource:
    """An archive in a bucket.

    Attributes:
        cloud: the protocol.
        bucket: the name of the bucket, or of Azure's container.
        key: the name of the object or blob.
        host: the host of Azure's storage account; empty for other clouds.
    """

    cloud: Cloud
    bucket: str
    key: str
    host: str = ""

    @property
    def shown(self) -> str:
        """The URL in messages."""
        return (
            f"https://{self.host}/{self.bucket}/{self.key}" if self.host else f"{self.cloud}://{self.bucket}/{self.key}"
        )


Source = DirectorySource | FileSource | HttpSource | DataSource | GitSource | OciSource | BucketSource


def parse_source(text: str) -> Source:
    """Read a SOURCE_GET_URL.

    Raises:
        ValueError: lists the forms; quotes nothing of the URL but its scheme.
    """
    text = text.strip()
    bare = text.partition("#")[0]
    if is_scp_form(bare):
        return _parse_git(bare, text.partition("#")[2])
    if any(ord(character) <= ord(" ") for character in text):
        raise ValueError("write a space in the URL as %20")
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon:
        raise ValueError(f"write a URL: {SUPPORTED}")
    if scheme == "data":
        return _parse_data(rest)
    if scheme == "oci":
        return OciSource(parse_reference(rest.removeprefix("//")))
    return _parse_located(scheme, text)


def secrets_in_url(source: Source) -> Iterator[str]:
    """The password in a URL, and the values in its query that are long enough to be tokens."""
    if not isinstance(source, HttpSource | GitSource):
        return
    if isinstance(source, GitSource) and (remote := parse_remote(source.url)).scheme == "ssh":
        # The user name of an SSH URL is not a secret: it is nearly always git.
        yield from filter(None, [remote.password])
        return
    parts = urlsplit(source.url)
    # Without a password, the user name may be a token.
    if secret := parts.password or parts.username:
        yield from {secret, unquote(secret)}
    for pair in parts.query.split("&"):
        value = pair.partition("=")[2]
        if len(value) >= _SHORTEST_TOKEN:
            yield from {value, unquote(value)}


def _parse_located(scheme: str, text: str) -> Source:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise ValueError("the URL's host or port is malformed") from error
    match scheme:
        case "dir" | "file":
            return _parse_local(scheme, url)
        case "s3" | "gs":
            return _parse_bucket(Cloud(scheme), url)
        case "https" if _AZURE.fullmatch(url.netloc) and not _SIGNED.search(url.query):
            return _parse_azure(url)
        case "http" | "https" if not url.path.endswith(".git"):
            _need_host(url)
            return HttpSource(text.partition("#")[0])
        case "http" | "https" | "git" | "ssh" | "git+http" | "git+https" | "git+ssh":
            _need_host(url)
            return _parse_git(text[len(scheme) - len(scheme.removeprefix("git+")) :].partition("#")[0], url.fragment)
        case _:
            pass
    problem = f"{scheme}:// is not supported" if scheme in _OTHERS else f"{scheme}: is not a kind of source"
    raise ValueError(f"{problem}; use {SUPPORTED}")


def _need_host(url: SplitResult) -> None:
    if not url.hostname:
        raise ValueError("the URL names no host")


def _parse_local(scheme: str, url: SplitResult) -> DirectorySource | FileSource:
    if url.netloc not in {"", "localhost"} or not url.path.startswith("/"):
        raise ValueError(f"write {scheme}:/// and an absolute path, with three slashes")
    if url.query or url.fragment:
        raise ValueError(f"write ? and # in a {scheme}:// URL as %3F and %23")
    path = unquote(url.path)
    if "\0" in path:
        raise ValueError("a path can't hold a NUL character")
    return DirectorySource(path) if scheme == "dir" else FileSource(path)


def _parse_bucket(cloud: Cloud, url: SplitResult) -> BucketSource:
    if url.query or url.fragment:
        raise ValueError(f"write ? and # in a {cloud}:// URL as %3F and %23")
    if "@" in url.netloc:
        raise ValueError(f"a {cloud}:// URL has no user; set credentials in their own variables")
    if not _BUCKET.fullmatch(url.netloc):
        where = "key; another server's URL belongs to SOURCE_S3_ENDPOINT" if cloud is Cloud.S3 else "object"
        raise ValueError(f"write {cloud}://bucket/{where}")
    return BucketSource(cloud, url.netloc, _key(unquote(url.path).removeprefix("/")))


def _parse_azure(url: SplitResult) -> BucketSource:
    container, _, blob = unquote(url.path).removeprefix("/").partition("/")
    if not container or url.query or url.fragment:
        raise ValueError("write https://ACCOUNT.blob.core.windows.net/container/blob, with a whole signature or none")
    return BucketSource(Cloud.AZURE, container, _key(blob), url.netloc)


def _key(key: str) -> str:
    if not key or key.endswith("/"):
        raise ValueError("write the name of one archive after the bucket; a prefix can't be a context")
    if any(part in {".", "..", ""} for part in key.split("/")) or any(ord(character) < ord(" ") for character in key):
        raise ValueError("write an object's name without empty, . or .. parts and without control characters")
    return key


def _parse_data(rest: str) -> DataSource:
    import binascii  # noqa: PLC0415 - for this kind only

    head, comma, body = rest.partition(",")
    if not comma:
        raise ValueError("write a comma between the type and the content of the data: URL")
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
        raise ValueError("write a branch, a tag or a full commit id after #")
    parts = [part for part in subdir.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise ValueError("the directory after #…: must be inside the repository")
    return GitSource(url, ref, "/".join(parts))
