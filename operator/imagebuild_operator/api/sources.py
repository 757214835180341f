"""The source of the build context: one class for each kind of `spec.source`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyRef:
    """A reference to a key of a Secret or ConfigMap in the build's namespace."""

    field: str  # secretKeyRef or configMapKeyRef, as Kubernetes spells it
    name: str
    key: str
    #: Whether the pod starts without the key; otherwise the kubelet waits for it.
    optional: bool = False


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A URL in any form that the builder image accepts."""

    url: str


@dataclass(frozen=True, slots=True)
class HttpSource:
    """An archive over HTTP, with its checksum and the Secret with credentials for it."""

    url: str
    sha256: str | None = None
    secret: str | None = None
    ca_bundle: KeyRef | None = None


@dataclass(frozen=True, slots=True)
class GitSource:
    """A revision of a Git repository: branch, tag or full commit.

    For SSH, the Secret holds a private key, and `known_hosts` (or a key of the Secret) the host keys of the server. For
    HTTP, the Secret holds a user name and a password.
    """

    url: str
    revision: str | None = None
    secret: str | None = None
    known_hosts: str | None = None
    submodules: bool = False
    ca_bundle: KeyRef | None = None

    @property
    def is_ssh(self) -> bool:
        """Whether the URL is for SSH: `ssh://…` or `user@host:path`."""
        return self.url.startswith("ssh://") or "://" not in self.url


@dataclass(frozen=True, slots=True)
class S3Source:
    """An archive in a bucket of an S3-compatible server; without an endpoint, of Amazon S3."""

    bucket: str
    key: str
    endpoint: str | None = None
    region: str | None = None
    sha256: str | None = None
    secret: str | None = None
    ca_bundle: KeyRef | None = None


@dataclass(frozen=True, slots=True)
class OciSource:
    """An artifact or image in a registry, and the Secret with credentials for pulling it."""

    image: str
    secret: str | None = None
    ca_bundle: KeyRef | None = None


@dataclass(frozen=True, slots=True)
class InlineSource:
    """Files in the resource itself: path to content."""

    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ConfigMapSource:
    """A ConfigMap whose keys are the files of the context."""

    name: str


@dataclass(frozen=True, slots=True)
class ClaimSource:
    """A volume: a directory in it (the empty path is the whole volume), or an archive in it."""

    claim: str
    path: str = ""
    archive: str | None = None


@dataclass(frozen=True, slots=True)
class UploadSource:
    """An archive that is sent into the build pod, which waits for it."""

    timeout_seconds: int = 600
    #: Limit on the archive as it is sent: 10 GiB.
    max_bytes: int = 10 * 1024**3
    #: The only archive that is accepted; None for any.
    sha256: str | None = None


Source = (
    UrlSource
    | HttpSource
    | GitSource
    | S3Source
    | OciSource
    | InlineSource
    | ConfigMapSource
    | ClaimSource
    | UploadSource
)
