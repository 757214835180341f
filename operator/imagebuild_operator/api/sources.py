"""Where the build context comes from: one value for each kind of `spec.source`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyRef:
    """A key of a Secret or ConfigMap in the build's own namespace."""

    field: str  # secretKeyRef or configMapKeyRef, as Kubernetes spells it
    name: str
    key: str
    #: Whether the pod starts without it; otherwise the kubelet waits.
    optional: bool = False


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A context named by a URL in any form that the builder image takes."""

    url: str


@dataclass(frozen=True, slots=True)
class HttpSource:
    """An archive behind HTTP, with its checksum and the Secret that opens it."""

    url: str
    sha256: str | None = None
    secret: str | None = None
    ca_bundle: KeyRef | None = None


@dataclass(frozen=True, slots=True)
class GitSource:
    """A revision of a Git repository: branch, tag or full commit.

    Over SSH the Secret holds a private key, and `known_hosts` (or else a key of the Secret) the keys that the server
    may have; over HTTP it holds a user name and a password.
    """

    url: str
    revision: str | None = None
    secret: str | None = None
    known_hosts: str | None = None
    submodules: bool = False
    ca_bundle: KeyRef | None = None

    @property
    def is_ssh(self) -> bool:
        """Whether it is reached over SSH: `ssh://…` or `user@host:path`."""
        return self.url.startswith("ssh://") or "://" not in self.url


@dataclass(frozen=True, slots=True)
class S3Source:
    """An archive in a bucket; without an endpoint it is Amazon's."""

    bucket: str
    key: str
    endpoint: str | None = None
    region: str | None = None
    sha256: str | None = None
    secret: str | None = None
    ca_bundle: KeyRef | None = None


@dataclass(frozen=True, slots=True)
class OciSource:
    """An artifact or image in a registry, and the Docker config that may pull it."""

    image: str
    secret: str | None = None
    ca_bundle: KeyRef | None = None


@dataclass(frozen=True, slots=True)
class InlineSource:
    """Files written in the resource itself: path to content."""

    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ConfigMapSource:
    """A ConfigMap whose keys are the files of the context."""

    name: str


@dataclass(frozen=True, slots=True)
class ClaimSource:
    """A volume: one directory of it (the empty path is all of it), or an archive in it."""

    claim: str
    path: str = ""
    archive: str | None = None


Source = UrlSource | HttpSource | GitSource | S3Source | OciSource | InlineSource | ConfigMapSource | ClaimSource
