"""The variables of sources that need more than a URL."""

from kaniko_shim.net.ca_bundle import parse_ca_bundle
from kaniko_shim.request.scalars import count_up_to, parse_raw, parse_seconds, parse_sha256, parse_switch, parse_text
from kaniko_shim.request.variable import Variable
from kaniko_shim.sources.buckets.bucket_access import (
    parse_azure_key,
    parse_azure_sas,
    parse_endpoint,
    parse_google_key,
    parse_region,
)
from kaniko_shim.sources.git.known_hosts import parse_known_hosts
from kaniko_shim.sources.git.ssh_access import parse_private_key
from kaniko_shim.sources.kinds import BucketSource, Cloud, GitSource, HttpSource, OciSource, Source, parse_source

SOURCE_GET_URL = Variable(
    "SOURCE_GET_URL",
    "The build context. `dir:///path` is a directory (it is copied), `file:///path` an archive; `http(s)://…` an "
    "archive; `data:…;base64,…` an archive in the URL itself; `git+https://…`, `git+http://…`, `git://…`, "
    "`https://….git`, `ssh://…`, `git+ssh://…` and `user@host:path` a Git repository, `#ref:directory` behind it, "
    "`ref` a branch, tag or full commit. Archives are tar, tar.gz, tar.xz, tar.bz2, tar.zst or zip, recognised by "
    "their content. `oci://registry/repository:tag` (or `@sha256:…`) is an artifact or image whose layers are the "
    "context. `s3://bucket/key`, `gs://bucket/object` and `https://ACCOUNT.blob.core.windows.net/container/blob` are "
    "archives in a bucket.",
    parse_source,
    default="file:///tmp/context.tar.gz",
    shown=False,
)
CONTEXT_SUB_PATH = Variable(
    "CONTEXT_SUB_PATH",
    "The directory of the fetched tree that is the context.",
    parse_text,
    default_note="all of it",
)
SOURCE_SHA256 = Variable(
    "SOURCE_SHA256",
    "The SHA-256 that the fetched archive must have.",
    parse_sha256,
)
SOURCE_MAX_BYTES = Variable(
    "SOURCE_MAX_BYTES",
    "The most bytes that a context may have, unpacked; nor may more of an archive, a layer or a Git repository be "
    "fetched.",
    count_up_to(1024**5),
    default="10737418240",
)
SOURCE_MAX_ENTRIES = Variable(
    "SOURCE_MAX_ENTRIES",
    "The most files and directories that a context may have.",
    count_up_to(1_000_000_000),
    default="1000000",
)
SOURCE_TIMEOUT = Variable(
    "SOURCE_TIMEOUT",
    "How long fetching and unpacking the context may take: `1h`, `90m`, or a number of seconds.",
    parse_seconds,
    default="1h",
)
SOURCE_USERNAME = Variable(
    "SOURCE_USERNAME",
    "The user name for SOURCE_GET_URL (HTTP basic authentication; Git over HTTP too). Never sent to another host.",
    parse_raw,
)
SOURCE_PASSWORD = Variable(
    "SOURCE_PASSWORD",
    "The password or token for SOURCE_GET_URL. Never sent to another host.",
    parse_raw,
    secret=True,
)
SOURCE_CA = Variable(
    "SOURCE_CA",
    "CA bundle (PEM) that the server of SOURCE_GET_URL is verified with, in addition to the public CAs. It is trusted "
    "while the context is fetched, and for nothing else.",
    parse_ca_bundle,
    shown=False,
)
SOURCE_SSH_PRIVATE_KEY = Variable(
    "SOURCE_SSH_PRIVATE_KEY",
    "The private key for Git over SSH: the text of the file (Ed25519, ECDSA or RSA). If it has a passphrase, that is "
    "SOURCE_PASSWORD. Used for the server in SOURCE_GET_URL only.",
    parse_private_key,
    secret=True,
)
SOURCE_SSH_KNOWN_HOSTS = Variable(
    "SOURCE_SSH_KNOWN_HOSTS",
    "The keys that SSH servers must have, as `ssh-keyscan` prints them or a `known_hosts` file holds them. A server "
    "without one is refused.",
    parse_known_hosts,
    shown=False,
)
SOURCE_SSH_SKIP_HOST_KEY_CHECK = Variable(
    "SOURCE_SSH_SKIP_HOST_KEY_CHECK",
    "`true`: an SSH server that SOURCE_SSH_KNOWN_HOSTS does not name is trusted whatever its key, and the key is "
    "written to the log. Whoever can pose as the server then decides what is built.",
    parse_switch,
    default="false",
)
GIT_SUBMODULES = Variable(
    "GIT_SUBMODULES",
    "`true`: the submodules of a Git repository are fetched too, and theirs. Credentials are used for those on the "
    "server in SOURCE_GET_URL only.",
    parse_switch,
    default="false",
)

SOURCE_S3_ENDPOINT = Variable(
    "SOURCE_S3_ENDPOINT",
    "The URL of the S3-compatible server that has the bucket of an `s3://` context (MinIO, Ceph, R2, …). Buckets are "
    "named in the path, not in the host.",
    parse_endpoint,
    default_note="Amazon S3",
)
SOURCE_S3_REGION = Variable(
    "SOURCE_S3_REGION",
    "The region of the bucket of an `s3://` context.",
    parse_region,
    default_note="AWS_REGION, AWS_DEFAULT_REGION, `us-east-1`",
)
SOURCE_ACCESS_KEY_ID = Variable(
    "SOURCE_ACCESS_KEY_ID",
    "The access key's id for an `s3://` context. Without it, what the platform gives is used "
    "([the context](builder-image.md#buckets)).",
    parse_text,
)
SOURCE_SECRET_ACCESS_KEY = Variable(
    "SOURCE_SECRET_ACCESS_KEY",
    "The secret access key that belongs to SOURCE_ACCESS_KEY_ID.",
    parse_text,
    secret=True,
)
SOURCE_SESSION_TOKEN = Variable(
    "SOURCE_SESSION_TOKEN",
    "The session token, if SOURCE_ACCESS_KEY_ID is a temporary one.",
    parse_text,
    secret=True,
)
SOURCE_GOOGLE_KEY = Variable(
    "SOURCE_GOOGLE_KEY",
    "The key of a service account for a `gs://` context: its JSON, or the base64 of it. Without it, "
    "what the platform gives is used ([the context](builder-image.md#buckets)).",
    parse_google_key,
    secret=True,
)
SOURCE_AZURE_KEY = Variable(
    "SOURCE_AZURE_KEY",
    "A key of the storage account, for a context in Azure Blob Storage. Without it and SOURCE_AZURE_SAS, what the "
    "platform gives is used ([the context](builder-image.md#buckets)).",
    parse_azure_key,
    secret=True,
)
SOURCE_AZURE_SAS = Variable(
    "SOURCE_AZURE_SAS",
    "A shared access signature (`sv=…&sig=…`) for a context in Azure Blob Storage; it may stand in the URL instead.",
    parse_azure_sas,
    secret=True,
)

SOURCE_TABLE: tuple[Variable[object], ...] = (
    SOURCE_GET_URL,
    CONTEXT_SUB_PATH,
    SOURCE_SHA256,
    SOURCE_USERNAME,
    SOURCE_PASSWORD,
    SOURCE_CA,
    SOURCE_MAX_BYTES,
    SOURCE_MAX_ENTRIES,
    SOURCE_TIMEOUT,
    SOURCE_SSH_PRIVATE_KEY,
    SOURCE_SSH_KNOWN_HOSTS,
    SOURCE_SSH_SKIP_HOST_KEY_CHECK,
    GIT_SUBMODULES,
    SOURCE_S3_ENDPOINT,
    SOURCE_S3_REGION,
    SOURCE_ACCESS_KEY_ID,
    SOURCE_SECRET_ACCESS_KEY,
    SOURCE_SESSION_TOKEN,
    SOURCE_GOOGLE_KEY,
    SOURCE_AZURE_KEY,
    SOURCE_AZURE_SAS,
)

_WEB, _GIT, _S3, _GOOGLE, _AZURE = "http(s)://", "Git", "s3://", "gs://", "Azure Blob Storage"
_OCI = "oci://"

ACCESS_VARIABLES: dict[Variable[object], tuple[str, ...]] = {
    SOURCE_USERNAME: (_WEB, _GIT),
    SOURCE_PASSWORD: (_WEB, _GIT),
    SOURCE_CA: (_WEB, _GIT, _S3, _GOOGLE, _AZURE, _OCI),
    SOURCE_SSH_PRIVATE_KEY: (_GIT,),
    SOURCE_S3_ENDPOINT: (_S3,),
    SOURCE_S3_REGION: (_S3,),
    SOURCE_ACCESS_KEY_ID: (_S3,),
    SOURCE_SECRET_ACCESS_KEY: (_S3,),
    SOURCE_SESSION_TOKEN: (_S3,),
    SOURCE_GOOGLE_KEY: (_GOOGLE,),
    SOURCE_AZURE_KEY: (_AZURE,),
    SOURCE_AZURE_SAS: (_AZURE,),
}
"""The kinds of context that each variable about access is for; setting it for another kind is an error."""


def kind_of(source: Source) -> str:
    """The name of a kind of source in ACCESS_VARIABLES; empty for one that takes none of them."""
    match source:
        case HttpSource():
            return _WEB
        case GitSource():
            return _GIT
        case BucketSource(cloud):
            return {Cloud.S3: _S3, Cloud.GOOGLE: _GOOGLE, Cloud.AZURE: _AZURE}[cloud]
        case OciSource():
            return _OCI
        case _:
            return ""
