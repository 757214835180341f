"""What is asked of the sources."""

from dataclasses import dataclass, field

from kaniko_shim.sources.buckets.bucket_access import NO_BUCKETS, BucketAccess
from kaniko_shim.sources.git.ssh_access import NO_SSH, SshAccess
from kaniko_shim.sources.kinds import Source


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """What is to be fetched, and how much of it at most.

    Attributes:
        source: the kind of source.
        username: for basic authentication, with `password`; empty for none.
        sha256: what the archive must have, or empty.
        sub_path: directory of the fetched tree that is the context, or empty.
        seconds: how long fetching may take.
        ssh: keys for Git over SSH.
        buckets: keys for buckets.
        submodules: whether those of a Git repository are fetched.
        ca_bundle: CA certificates (PEM) that the server is verified with besides the public ones, or empty.
    """

    source: Source
    username: str = ""
    password: str = field(default="", repr=False)
    sha256: str = ""
    sub_path: str = ""
    max_bytes: int = 1 << 40
    max_entries: int = 1_000_000
    seconds: int = 3600
    ssh: SshAccess = NO_SSH
    buckets: BucketAccess = NO_BUCKETS
    submodules: bool = False
    ca_bundle: str = ""
