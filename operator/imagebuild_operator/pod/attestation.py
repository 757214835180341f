"""The variables that make the builder image attach provenance, an SBOM and signatures to an image."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from imagebuild_operator.api.build import BuildSpec, ImageBuild
from imagebuild_operator.api.redact import redact
from imagebuild_operator.api.sources import KeyRef
from imagebuild_operator.pod.env import Variable, from_key, plain

#: Keys of the Secret, as made by `cosign generate-key-pair k8s://…`.
SIGNING_KEY: Final = "cosign.key"
PASSWORD: Final = "cosign.password"  # noqa: S105 - the name of a key
#: Maximum size of the parameters in bytes; above it, inline files and an inline Dockerfile are left out.
MOST_PARAMETERS: Final = 65536
_QUERY: Final = re.compile(r"\?[^#]*")


def attestation_variables(
    build: ImageBuild, spec: BuildSpec, builder_image: str, *, sbom: bool = True
) -> list[Variable]:
    """The variables of a container that pushes.

    Args:
        build: The build.
        spec: Its spec.
        builder_image: The builder image, which provenance names.
        sbom: Whether the pushed artifact has layers; an index has none, and so no SBOM.
    """
    wanted = spec.attestations
    if not spec.push:
        return []
    return [
        *plain("PROVENANCE", "true" if wanted.provenance else None),
        *plain("PROVENANCE_BUILDER", builder_image if wanted.provenance else None),
        *plain("PROVENANCE_INVOCATION", build.uid if wanted.provenance else None),
        *plain("PROVENANCE_PARAMETERS", parameters(build.spec) if wanted.provenance else None),
        *plain("SBOM", "true" if wanted.sbom and sbom else None),
        *(_key(spec.signing.secret) if spec.signing else []),
    ]


def parameters(spec: Mapping[str, Any]) -> str:
    """The external parameters of the provenance, as JSON: the fields of the spec that say what is built.

    Secrets appear by name only, as in the spec. Contents of inline files are left out if they are too large; the
    checksum of the Dockerfile is then there instead.
    """
    asked = (
        "source",
        "contextDir",
        "dockerfile",
        "target",
        "buildArgs",
        "buildSecrets",
        "output",
        "registries",
        "proxy",
        "cache",
        "env",
        "resources",
        "podTemplate",
        "executor",
    )
    known = {field: spec[field] for field in asked if field in spec}
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


def _key(secret: str) -> list[Variable]:
    return [
        from_key("SIGNING_KEY", KeyRef("secretKeyRef", secret, SIGNING_KEY)),
        from_key("SIGNING_KEY_PASSWORD", KeyRef("secretKeyRef", secret, PASSWORD, optional=True)),
    ]
