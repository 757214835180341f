"""What to do about a failure, with the fields and names of the build that failed."""

from typing import Final

from imagebuild_operator.api.build import BuildSpec
from imagebuild_operator.api.reasons import Reason
from imagebuild_operator.api.sources import GitSource, HttpSource, OciSource, S3Source, Source
from imagebuild_operator.observe.report import Result

#: Reasons whose remedy is in the context or the Dockerfile. The shim, which has read them, gives the best hint. Its
#: hints for other reasons name variables, which mean nothing to the author of an ImageBuild.
SHIM_KNOWS_BEST: Final = frozenset(
    {
        Reason.SOURCE_INVALID,
        Reason.DOCKERFILE_INVALID,
        Reason.DOCKERFILE_UNSUPPORTED,
        Reason.COPY_FAILED,
        Reason.PUSH_REJECTED,
        Reason.INTERNAL,
    }
)

#: What only hints about a proxy that refuses the password contain, whatever the reason.
_PROXY_REFUSES: Final = "password in HTTP_PROXY"


def advice(reason: Reason, spec: BuildSpec | None, result: Result) -> str:
    """One sentence that says what to do next: the table's, or a more specific one from the spec or the result."""
    if said := _shim_advice(reason, result):
        return said
    if spec is None:
        return reason.row.advice
    host = result.registry or "the registry"
    match reason:
        case Reason.REGISTRY_UNAUTHORIZED:
            return _push_access(spec, host)
        case Reason.BASE_IMAGE_UNAUTHORIZED:
            return _pull_access(spec, host)
        case Reason.SOURCE_UNAUTHORIZED:
            return _source_access(spec.source, host)
        case Reason.SOURCE_UNAVAILABLE if "SOURCE_CA" in (result.hint or ""):
            return _source_ca(spec.source)
        case Reason.INVALID_SPEC if "BUILD_SECRET_" in (result.hint or ""):
            return "Add the secret to spec.buildSecrets of a new ImageBuild, or make the mount optional."
        case Reason.REGISTRY_TLS:
            return (
                f"Add {host} to spec.registries: with caBundle if its certificate is from a private CA, with "
                "skipTLSVerify: true if it can't be verified, or with insecure: true if the registry speaks plain HTTP."
            )
        case _:
            return reason.row.advice


def _push_access(spec: BuildSpec, host: str) -> str:
    """How to let the builder push."""
    if spec.push_secret is None:
        return (
            f"Create a Secret of type kubernetes.io/dockerconfigjson with credentials for {host} "
            "and name it in spec.output.pushSecretRef of a new ImageBuild."
        )
    return (
        f"Correct the credentials for {host} in Secret {spec.push_secret}, named by pushSecretRef of the build "
        "or of its namespace's ImageBuildDefaults."
    )


def _pull_access(spec: BuildSpec, host: str) -> str:
    """How to let the builder pull base images."""
    if not spec.pull_secrets:
        return (
            f"Create a Secret of type kubernetes.io/dockerconfigjson with credentials for {host} "
            "and name it in spec.pullSecretRefs of a new ImageBuild."
        )
    names = ", ".join(spec.pull_secrets)
    return (
        f"Correct the credentials for {host} in the Secrets {names}, named by pullSecretRefs of the build and "
        "of its namespace's ImageBuildDefaults."
    )


def _source_ca(source: Source) -> str:
    """How to let the builder trust the server of the context."""
    match source:
        case HttpSource():
            field = "source.http.caBundle"
        case GitSource():
            field = "source.git.caBundle"
        case S3Source():
            field = "source.s3.caBundle"
        case OciSource():
            field = "source.oci.caBundle"
        case _:
            return "Write the source as source.http, source.git or source.s3, and name the server's CA in its caBundle."
    return f"Name the CA bundle of the server in {field}."


def _shim_advice(reason: Reason, result: Result) -> str:
    """The advice that only the shim can give, in the words of the API; empty if it gave none."""
    if not result.hint:
        return ""
    if _PROXY_REFUSES in result.hint:
        return "Correct the user and password of the proxy, in the Secret that proxy.secretRef names."
    return result.hint if reason in SHIM_KNOWS_BEST else ""


def _source_access(source: Source, registry: str) -> str:
    """How to let the builder fetch the context."""
    match source:
        case GitSource(secret=secret) if source.is_ssh:
            return (
                f"Put a key that can read the repository into ssh-privatekey in Secret {secret}, and the keys of the "
                "server, as ssh-keyscan prints them, into its known_hosts or into source.git.knownHosts."
            )
        case S3Source(secret=secret):
            correct = f"Correct Secret {secret}" if secret else "Name a Secret"
            return f"{correct} in source.s3.secretRef, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to read it."
        case OciSource(image, secret):
            correct = f"Correct Secret {secret}" if secret else "Name a Secret of type kubernetes.io/dockerconfigjson"
            return f"{correct} in source.oci.secretRef, with credentials for {registry} that can pull {image}."
        case HttpSource(secret=str(secret)) | GitSource(secret=str(secret)):
            return f"Correct username and password in Secret {secret}, named by the source's secretRef."
        case _:
            return Reason.SOURCE_UNAUTHORIZED.row.advice
