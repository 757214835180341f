"""How the build context reaches the `build` container: in variables, or in a volume."""

from typing import Any, Final
from urllib.parse import quote

from imagebuild_operator.api.sources import (
    ClaimSource,
    ConfigMapSource,
    GitSource,
    HttpSource,
    InlineSource,
    KeyRef,
    OciSource,
    S3Source,
    Source,
    UploadSource,
    UrlSource,
)
from imagebuild_operator.pod.env import Variable, from_key, plain
from imagebuild_operator.pod.inline import data_url

#: Mount path of the volume.
SOURCE_PATH: Final = "/kaniko/source"
#: Name of a complete upload in it.
UPLOADED: Final = "archive"


def context_variables(source: Source) -> list[Variable]:
    """The variables for the context's location and credentials.

    Raises:
        InvalidSpecError: inline files are too large.
    """
    match source:
        case UrlSource(url):
            return plain("SOURCE_GET_URL", url)
        case HttpSource(url, sha256, secret, ca_bundle):
            return [
                *plain("SOURCE_GET_URL", url),
                *plain("SOURCE_SHA256", sha256),
                *_basic_auth(secret),
                *_ca_bundle(ca_bundle),
            ]
        case GitSource():
            return _git(source)
        case S3Source():
            return _s3(source)
        case OciSource(image, _, ca_bundle):
            return [*plain("SOURCE_GET_URL", f"oci://{image}"), *_ca_bundle(ca_bundle)]
        case InlineSource(files):
            return plain("SOURCE_GET_URL", data_url(files))
        case UploadSource():
            return [*plain("SOURCE_GET_URL", _mounted(source)), *plain("SOURCE_SHA256", source.sha256)]
        case ConfigMapSource() | ClaimSource():
            return plain("SOURCE_GET_URL", _mounted(source))


def _mounted(source: ConfigMapSource | ClaimSource | UploadSource) -> str:
    """The URL of a context in the volume."""
    match source:
        case ClaimSource(_, path, None):
            return f"dir://{quote(f'{SOURCE_PATH}/{path}'.rstrip('/'))}"
        case ClaimSource(_, _, archive):
            return f"file://{quote(f'{SOURCE_PATH}/{archive}')}"
        case UploadSource():
            return f"file://{SOURCE_PATH}/{UPLOADED}"
        case ConfigMapSource():
            return f"dir://{SOURCE_PATH}"


def context_volume(source: Source) -> dict[str, Any] | None:
    """The volume at `SOURCE_PATH`, without its name; None for a context that is fetched."""
    match source:
        case ConfigMapSource(name):
            return {"configMap": {"name": name}}
        case ClaimSource(claim):
            return {"persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
        case UploadSource():
            return {"emptyDir": {}}
        case _:
            return None


def git_url(url: str, revision: str | None) -> str:
    """Mark a URL as Git's, whatever its path ends in, and add the revision.

    >>> git_url("https://example.com/team/app", "v1.2")
    'git+https://example.com/team/app#v1.2'
    """
    marked = f"git+{url}" if url.startswith(("http://", "https://")) else url
    return f"{marked}#{revision}" if revision else marked


def _git(source: GitSource) -> list[Variable]:
    return [
        *plain("SOURCE_GET_URL", git_url(source.url, source.revision)),
        *plain("GIT_SUBMODULES", "true" if source.submodules else None),
        *(_ssh(source) if source.is_ssh else _basic_auth(source.secret)),
        *_ca_bundle(source.ca_bundle),
    ]


def _ssh(source: GitSource) -> list[Variable]:
    """The private key of a Secret of type kubernetes.io/ssh-auth, and the host keys of the spec or of the Secret."""
    secret = source.secret
    return [
        *([_secret("SOURCE_SSH_PRIVATE_KEY", secret, "ssh-privatekey")] if secret else []),
        *plain("SOURCE_SSH_KNOWN_HOSTS", source.known_hosts),
        *(
            [_secret("SOURCE_SSH_KNOWN_HOSTS", secret, "known_hosts", optional=True)]
            if secret and not source.known_hosts
            else []
        ),
    ]


def _s3(source: S3Source) -> list[Variable]:
    """The keys of the Secret are named as S3 clients name them, so that one Secret serves all."""
    secret = source.secret
    return [
        *plain("SOURCE_GET_URL", f"s3://{source.bucket}/{quote(source.key)}"),
        *plain("SOURCE_SHA256", source.sha256),
        *plain("SOURCE_S3_ENDPOINT", source.endpoint),
        *plain("SOURCE_S3_REGION", source.region),
        *(
            [
                _secret("SOURCE_ACCESS_KEY_ID", secret, "AWS_ACCESS_KEY_ID"),
                _secret("SOURCE_SECRET_ACCESS_KEY", secret, "AWS_SECRET_ACCESS_KEY"),
                _secret("SOURCE_SESSION_TOKEN", secret, "AWS_SESSION_TOKEN", optional=True),
            ]
            if secret
            else []
        ),
        *_ca_bundle(source.ca_bundle),
    ]


def _ca_bundle(ref: KeyRef | None) -> list[Variable]:
    return [from_key("SOURCE_CA", ref)] if ref else []


def _basic_auth(secret: str | None) -> list[Variable]:
    """The keys of a Secret of type kubernetes.io/basic-auth."""
    if secret is None:
        return []
    return [_secret("SOURCE_USERNAME", secret, "username"), _secret("SOURCE_PASSWORD", secret, "password")]


def _secret(variable: str, secret: str, key: str, *, optional: bool = False) -> Variable:
    return from_key(variable, KeyRef("secretKeyRef", secret, key, optional))
