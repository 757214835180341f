"""The variables that make the builder image attach provenance, an SBOM and signatures to an image."""

import hashlib
import json
import re
from typing import Any, Final

from imagebuild_vocabulary.names import KEYLESS_AUDIENCE, KEYLESS_TOKEN, SIGNER_AUDIENCE, SIGNER_TOKEN

from imagebuild_operator.api.build import BuildSpec, ClusterSigning, ImageBuild, KeylessSigning, SigningKey
from imagebuild_operator.api.errors import InvalidSpecError
from imagebuild_operator.api.redact import redact
from imagebuild_operator.api.sources import KeyRef
from imagebuild_operator.pod.env import Variable, from_key, plain
from imagebuild_operator.settings import BuildDefaults

#: Keys of the Secret, as made by `cosign generate-key-pair k8s://…`.
SIGNING_KEY: Final = "cosign.key"
PASSWORD: Final = "cosign.password"  # noqa: S105 - the name of a key
#: Seconds that a token is valid, at least; the kubelet renews it.
TOKEN_SECONDS: Final = 3600
#: Maximum size of the parameters in bytes; above it, inline files and an inline Dockerfile are left out.
MOST_PARAMETERS: Final = 65536
#: Fields of a spec that say what is built, and how.
ASKED: Final = (
    "source",
    "contextDir",
    "dockerfile",
    "target",
    "engine",
    "buildArgs",
    "buildSecrets",
    "output",
    "pullSecretRefs",
    "registries",
    "proxy",
    "network",
    "cache",
    "env",
    "resources",
    "podTemplate",
    "executor",
)
_QUERY: Final = re.compile(r"\?[^#]*")


def attestation_variables(
    build: ImageBuild, spec: BuildSpec, defaults: BuildDefaults, *, sbom: bool = True
) -> list[Variable]:
    """The variables of a container that pushes.

    Args:
        build: The build.
        spec: Its spec.
        defaults: The operator's settings, with the builder image of the pod, which provenance names.
        sbom: Whether the pushed artifact has layers; an index has none, and so no SBOM.

    Raises:
        InvalidSpecError: the signer of the cluster is to sign, and there is none.
    """
    wanted, builder_image = spec.attestations, defaults.builder_image
    if not spec.push:
        return []
    return [
        *plain("PROVENANCE", "true" if wanted.provenance else None),
        *plain("PROVENANCE_BUILDER", builder_image if wanted.provenance else None),
        *plain("PROVENANCE_INVOCATION", build.uid if wanted.provenance else None),
        *plain("PROVENANCE_PARAMETERS", parameters(build) if wanted.provenance else None),
        *plain("SBOM", wanted.sbom if sbom else None),
        *_signing(spec, defaults),
    ]


def with_token(pod_spec: dict[str, Any], spec: BuildSpec) -> dict[str, Any]:
    """The pod with a token by which what signs knows it, for the container that pushes alone."""
    if not spec.push or isinstance(spec.signing, SigningKey | None):
        return pod_spec
    audience, path = (
        (SIGNER_AUDIENCE, SIGNER_TOKEN)
        if isinstance(spec.signing, ClusterSigning)
        else (KEYLESS_AUDIENCE, KEYLESS_TOKEN)
    )
    directory, _, file = path.rpartition("/")
    token = {"serviceAccountToken": {"audience": audience, "expirationSeconds": TOKEN_SECONDS, "path": file}}
    volume = {"name": audience, "projected": {"sources": [token], "defaultMode": 0o444}}
    mount = {"name": audience, "mountPath": directory, "readOnly": True}
    *others, pushing = pod_spec["containers"]
    return {
        # A token is an account's; without its own, a pod has this one in any case.
        "serviceAccountName": "default",
        **pod_spec,
        "containers": [*others, {**pushing, "volumeMounts": [*pushing["volumeMounts"], mount]}],
        "volumes": [*pod_spec["volumes"], volume],
    }


def parameters(build: ImageBuild) -> str:
    """The external parameters of the provenance, as JSON: whose build it is, and the fields that say what is built.

    Secrets appear by name only, as in the spec. Contents of inline files are left out if they are too large; the
    checksum of the Dockerfile is then there instead.
    """
    spec = build.spec
    known: dict[str, Any] = {field: spec[field] for field in ASKED if field in spec}
    known["metadata"] = {"namespace": build.namespace, "name": build.name}
    if "source" in known:
        known["source"] = {kind: _without_query(said) for kind, said in known["source"].items()}
    if "proxy" in known:
        known["proxy"] = {
            name: redact(said) if isinstance(said, str) else said for name, said in known["proxy"].items()
        }
    text = json.dumps(known, ensure_ascii=False, sort_keys=True)
    if len(text.encode()) <= MOST_PARAMETERS:
        return text
    dockerfile = known.get("dockerfile", {})
    if "inline" in known.get("source", {}):
        files = known["source"]["inline"]["files"]
        path = "/".join(filter(None, (known.get("contextDir"), dockerfile.get("path") or "Dockerfile")))
        known["source"] = {"inline": {"files": sorted(files)}}
        if "inline" not in dockerfile and path in files:
            known["dockerfile"] = {**dockerfile, "inlineSHA256": _sha256(files[path])}
    if "inline" in dockerfile:
        known["dockerfile"] = {"inlineSHA256": _sha256(dockerfile["inline"])}
    return json.dumps(known, ensure_ascii=False, sort_keys=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _without_query(said: object) -> object:
    """Remove the query of a source's URL, which may hold a token."""
    if isinstance(said, str):
        return redact(_QUERY.sub("", said))
    if isinstance(said, dict) and isinstance(said.get("url"), str):
        return {**said, "url": _without_query(said["url"])}
    return said


def _signing(spec: BuildSpec, defaults: BuildDefaults) -> list[Variable]:
    match spec.signing:
        case None:
            return []
        case SigningKey(secret):
            return _key(secret)
        case ClusterSigning():
            if not defaults.signer.url:
                problem = "this cluster has no signer: its administrator installs one with the chart's signer.enabled"
                raise InvalidSpecError("spec.output.signing.cluster", problem)
            return [
                *plain("SIGNING_URL", defaults.signer.url),
                *plain("SIGNING_PUBLIC_KEY", defaults.signer.public_key),
                *plain("SIGNING_TOKEN_FILE", SIGNER_TOKEN),
            ]
        case KeylessSigning(fulcio, rekor, timestamp):
            return [
                *plain("SIGNING_FULCIO_URL", fulcio),
                *plain("SIGNING_REKOR_URL", rekor),
                *plain("SIGNING_TIMESTAMP_URL", timestamp),
                *plain("SIGNING_TOKEN_FILE", KEYLESS_TOKEN),
            ]


def _key(secret: str) -> list[Variable]:
    return [
        from_key("SIGNING_KEY", KeyRef("secretKeyRef", secret, SIGNING_KEY)),
        from_key("SIGNING_KEY_PASSWORD", KeyRef("secretKeyRef", secret, PASSWORD, optional=True)),
    ]
