"""The request for a build context."""

from dataclasses import dataclass, field

from kaniko_shim.sources.buckets.bucket_access import NO_BUCKETS, BucketAccess
from kaniko_shim.sources.git.ssh_access import NO_SSH, SshAccess
from kaniko_shim.sources.kinds import Source


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """A source, credentials and limits.

    Attributes:
        source: the parsed SOURCE_GET_URL.
        username: for basic authentication, with `password`; empty for none.
        sha256: the checksum that the archive must have, or empty.
        sub_path: the context's directory in the fetched tree, or empty.
        dockerfile: path of the Dockerfile in the context; empty if it does not come from there.
        max_bytes: limit on the unpacked context, and on what is fetched.
        max_entries: limit on files and directories.
        seconds: limit on the time of fetching.
        ssh: keys and known hosts for Git over SSH.
        buckets: credentials for buckets.
        submodules: whether the submodules of a Git repository are fetched.
        ca_bundle: CA certificates (PEM) that the server is verified with besides the public ones, or empty.
    """

    source: Source
    username: str = ""
    password: str = field(default="", repr=False)
    sha256: str = ""
    sub_path: str = ""
    dockerfile: str = ""
    max_bytes: int = 1 << 40
    max_entries: int = 1_000_000
    seconds: int = 3600
    ssh: SshAccess = NO_SSH
    buckets: BucketAccess = NO_BUCKETS
    submodules: bool = False
    ca_bundle: str = ""
