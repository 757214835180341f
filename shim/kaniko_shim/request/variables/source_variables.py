"""Variables of the build context: where it comes from, limits and credentials."""

from kaniko_shim.net.ca_bundle import parse_ca_bundle
from kaniko_shim.request.scalars import count_up_to, parse_raw, parse_seconds, parse_sha256, parse_switch, parse_text
from kaniko_shim.request.variables.variable import Variable
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
    "URL of the build context. **Directory** (copied): `dir:///path`. **Archive**: `file:///path`, `http(s)://…`, "
    "`data:…;base64,…` (in the URL itself), and in a bucket `s3://bucket/key`, `gs://bucket/object` and "
    "`https://ACCOUNT.blob.core.windows.net/container/blob`; formats are tar, tar.gz, tar.xz, tar.bz2, tar.zst and "
    "zip, recognised by content. **Git repository**: `git+https://…`, `git+http://…`, `git://…`, `https://….git`, "
    "`ssh://…`, `git+ssh://…` and `user@host:path`, each optionally with `#ref:directory`, where `ref` is a branch, "
    "tag or full commit. **Artifact or image** whose layers are the context: `oci://registry/repository:tag` (or "
    "`@sha256:…`).",
    parse_source,
    default="file:///tmp/context.tar.gz",
    shown=False,
)
CONTEXT_SUB_PATH = Variable(
    "CONTEXT_SUB_PATH",
    "Directory in the fetched tree that is the build context.",
    parse_text,
    default_note="the whole tree",
)
SOURCE_SHA256 = Variable(
    "SOURCE_SHA256",
    "SHA-256 that the fetched archive must have.",
    parse_sha256,
)
SOURCE_MAX_BYTES = Variable(
    "SOURCE_MAX_BYTES",
    "Maximum size of the unpacked context in bytes. It also limits what is fetched of an archive, a layer or a Git "
    "repository.",
    count_up_to(1024**5),
    default="10737418240",
)
SOURCE_MAX_ENTRIES = Variable(
    "SOURCE_MAX_ENTRIES",
    "Maximum number of files and directories in the context.",
    count_up_to(1_000_000_000),
    default="1000000",
)
SOURCE_TIMEOUT = Variable(
    "SOURCE_TIMEOUT",
    "Time limit for fetching and unpacking the context: `1h`, `90m`, or a number of seconds.",
    parse_seconds,
    default="1h",
)
SOURCE_USERNAME = Variable(
    "SOURCE_USERNAME",
    "User name for SOURCE_GET_URL: HTTP basic authentication, Git over HTTP, Git over SSH. It is never sent to "
    "another host.",
    parse_raw,
)
SOURCE_PASSWORD = Variable(
    "SOURCE_PASSWORD",
    "Password or token for SOURCE_GET_URL. It is never sent to another host.",
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
    "Private key for Git over SSH: the text of the key file (Ed25519, ECDSA or RSA). Its passphrase, if it has one, "
    "goes into SOURCE_PASSWORD. It is used only for the server in SOURCE_GET_URL.",
    parse_private_key,
    secret=True,
)
SOURCE_SSH_KNOWN_HOSTS = Variable(
    "SOURCE_SSH_KNOWN_HOSTS",
    "Host keys of SSH servers, as printed by `ssh-keyscan` or in a `known_hosts` file. A server without an entry is "
    "refused.",
    parse_known_hosts,
    shown=False,
)
SOURCE_SSH_SKIP_HOST_KEY_CHECK = Variable(
    "SOURCE_SSH_SKIP_HOST_KEY_CHECK",
    "If `true`, an SSH server without an entry in SOURCE_SSH_KNOWN_HOSTS is trusted whatever its key, and the key is "
    "written to the log. Anyone who can impersonate the server then decides what is built.",
    parse_switch,
    default="false",
)
GIT_SUBMODULES = Variable(
    "GIT_SUBMODULES",
    "If `true`, the submodules of a Git repository are fetched recursively. Credentials are used only for submodules "
    "on the server in SOURCE_GET_URL.",
    parse_switch,
    default="false",
)

SOURCE_S3_ENDPOINT = Variable(
    "SOURCE_S3_ENDPOINT",
    "URL of the S3-compatible server (MinIO, Ceph, R2, …) of an `s3://` context. The bucket is part of the path, not "
    "of the host.",
    parse_endpoint,
    default_note="Amazon S3",
)
SOURCE_S3_REGION = Variable(
    "SOURCE_S3_REGION",
    "Region of the bucket of an `s3://` context.",
    parse_region,
    default_note="AWS_REGION, AWS_DEFAULT_REGION, `us-east-1`",
)
SOURCE_ACCESS_KEY_ID = Variable(
    "SOURCE_ACCESS_KEY_ID",
    "Access key ID for an `s3://` context. If unset, the platform's credentials are used "
    "([buckets](builder-image.md#buckets)).",
    parse_text,
)
SOURCE_SECRET_ACCESS_KEY = Variable(
    "SOURCE_SECRET_ACCESS_KEY",
    "Secret access key that belongs to SOURCE_ACCESS_KEY_ID.",
    parse_text,
    secret=True,
)
SOURCE_SESSION_TOKEN = Variable(
    "SOURCE_SESSION_TOKEN",
    "Session token, if SOURCE_ACCESS_KEY_ID is a temporary key.",
    parse_text,
    secret=True,
)
SOURCE_GOOGLE_KEY = Variable(
    "SOURCE_GOOGLE_KEY",
    "Service account key for a `gs://` context, as JSON or base64-encoded. If unset, the platform's credentials are "
    "used ([buckets](builder-image.md#buckets)).",
    parse_google_key,
    secret=True,
)
SOURCE_AZURE_KEY = Variable(
    "SOURCE_AZURE_KEY",
    "Storage account key for a context in Azure Blob Storage. If this and SOURCE_AZURE_SAS are unset, the platform's "
    "credentials are used ([buckets](builder-image.md#buckets)).",
    parse_azure_key,
    secret=True,
)
SOURCE_AZURE_SAS = Variable(
    "SOURCE_AZURE_SAS",
    "Shared access signature (`sv=…&sig=…`) for a context in Azure Blob Storage. It may be part of the URL instead.",
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
