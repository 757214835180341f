"""What to do about a failure, with the fields and names of the build that failed."""

import re
from collections.abc import Mapping
from typing import Final

from imagebuild_vocabulary.remedies import Remedy

from imagebuild_operator.api.build import BuildSpec, Corroborate, PlatformNodes
from imagebuild_operator.api.reason_rows import AGAIN
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
        Reason.ENGINE_UNAVAILABLE,
        Reason.INTERNAL,
    }
)

#: What to do about a Dockerfile that does not fit to the spec or to the defaults.
_OF_DOCKERFILE: Final[Mapping[Remedy | None, str]] = {
    Remedy.BUILD_SECRET: "Add the secret to spec.buildSecrets of a new ImageBuild, or make the mount optional.",
    Remedy.BASE_IMAGE: "Name an image in FROM and --from that the ImageBuildDefaults allow (limits.baseImages), "
    f"then {AGAIN}.",
}
#: The scheduler's message about a claim that does not exist.
_NO_CLAIM: Final = re.compile(r'persistentvolumeclaim "[^"]*" not found')
#: What to do if no node has the platform of a build.
_NO_NODE: Final = (
    "If the cluster has nodes of that platform, check nodeSelector and affinity; if it has none, set "
    "output.platformNodes to Any (RUN then needs QEMU on the nodes)"
)
#: What to do if no second node fits.
_ONE_NODE: Final = (
    "Check nodeSelector and affinity; if the cluster has one node for builds, set output.corroborate to AnyNode"
)


def waiting_advice(reason: Reason, spec: BuildSpec | None, message: str) -> str:
    """One sentence that says what to do while a build waits: the table's, or a more specific one; empty if none is.

    Args:
        reason: Why the build waits.
        spec: Its spec, if it is known.
        message: What Kubernetes says about its pod.
    """
    return _scheduling_advice(spec, message)[0] if reason is Reason.UNSCHEDULABLE else reason.row.waiting


def advice(reason: Reason, spec: BuildSpec | None, result: Result, message: str = "") -> str:
    """One sentence that says what to do next: the table's, or a more specific one from the spec or the result.

    Args:
        reason: Why the build has failed.
        spec: Its spec, if it is known.
        result: What the container that failed has reported.
        message: What has happened, as a sentence.
    """
    if said := _shim_advice(reason, result):
        return said
    if spec is None:
        return reason.row.advice
    host = result.registry or "the registry"
    match reason:
        case Reason.REGISTRY_UNAUTHORIZED:
            return _push_access(spec, host, result.remedy)
        case Reason.BASE_IMAGE_UNAUTHORIZED:
            return _pull_access(spec, host, result.remedy)
        case Reason.SOURCE_UNAUTHORIZED:
            return _source_access(spec.source, host)
        case Reason.SOURCE_UNAVAILABLE if result.remedy is Remedy.SOURCE_CA:
            return _source_ca(spec.source)
        case Reason.INVALID_SPEC if result.remedy in _OF_DOCKERFILE:
            return _OF_DOCKERFILE[result.remedy]
        case Reason.REGISTRY_TLS:
            return (
                f"Add {host} to spec.registries: with caBundle if its certificate is from a private CA, with "
                "insecureSkipTLSVerify: true if it can't be verified, or with plainHTTP: true if the registry speaks "
                "plain HTTP."
            )
        case Reason.UNSCHEDULABLE:
            return _scheduling_advice(spec, message)[1]
        case _:
            return reason.row.advice


def _scheduling_advice(spec: BuildSpec | None, message: str) -> tuple[str, str]:
    """What to do about a pod that no node takes: while it waits, and after the build has failed."""
    if _NO_CLAIM.search(message):
        create = "Create the PersistentVolumeClaim in the build's namespace"
        return f"{create}; the build continues automatically.", f"{create}, then {AGAIN}."
    if spec is not None and spec.corroborate is Corroborate.OTHER_NODE and "node affinity/selector" in message:
        return f"The build starts when another node fits. {_ONE_NODE}, and {AGAIN}.", f"{_ONE_NODE}, and {AGAIN}."
    is_native = spec is not None and spec.platforms and spec.platform_nodes is PlatformNodes.NATIVE
    if is_native and "node affinity/selector" in message:
        return (
            f"The build starts when a node of its platform fits. {_NO_NODE}, and {AGAIN}.",
            f"{_NO_NODE}, and {AGAIN}.",
        )
    return Reason.UNSCHEDULABLE.row.waiting, Reason.UNSCHEDULABLE.row.advice


def _push_access(spec: BuildSpec, host: str, remedy: Remedy | None) -> str:
    """How to let the builder push."""
    if remedy is Remedy.CLOUD_IDENTITY:
        account = spec.pod_template.spec.get("serviceAccountName") or "default"
        return (
            f"Give ServiceAccount {account} (podTemplate.spec.serviceAccountName) an identity that may push to {host}, "
            "or name a Secret with credentials for it in output.pushSecretRef."
        )
    if spec.push_secret is None:
        return (
            f"Create a Secret of type kubernetes.io/dockerconfigjson with credentials for {host} "
            "and name it in spec.output.pushSecretRef of a new ImageBuild."
        )
    return (
        f"Correct the credentials for {host} in Secret {spec.push_secret}, named by pushSecretRef of the build "
        "or of its namespace's ImageBuildDefaults."
    )


def _pull_access(spec: BuildSpec, host: str, remedy: Remedy | None) -> str:
    """How to let the builder pull base images."""
    if remedy is Remedy.CLOUD_IDENTITY:
        return (
            f"Name a Secret with credentials for {host} in pullSecretRefs. The identity of the ServiceAccount is kept "
            "from the Dockerfile by default; the pages on ECR, Artifact Registry and ACR say how to give it to the "
            "build container, too."
        )
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
    if result.remedy is Remedy.PROXY_LOGIN:
        return "Correct the user and password of the proxy, in the Secret that proxy.secretRef names."
    return result.hint or "" if reason in SHIM_KNOWS_BEST or result.remedy is Remedy.DOCKER_CONFIG else ""


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
