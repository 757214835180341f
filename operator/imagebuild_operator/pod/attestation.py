"""The variables by which the builder image attaches provenance, an SBOM and signatures to an image."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from imagebuild_operator.api.build import BuildSpec, ImageBuild
from imagebuild_operator.api.redact import redact
from imagebuild_operator.api.sources import KeyRef
from imagebuild_operator.pod.env import Variable, from_key, plain

#: Keys of the Secret, as `cosign generate-key-pair k8s://…` makes it.
SIGNING_KEY: Final = "cosign.key"
PASSWORD: Final = "cosign.password"  # noqa: S105 - the name of a key
#: Bytes of parameters that go into a variable; beyond it, what is long is left out.
MOST_PARAMETERS: Final = 65536
_QUERY: Final = re.compile(r"\?[^#]*")


def attesting_variables(build: ImageBuild, spec: BuildSpec, builder_image: str, *, sbom: bool = True) -> list[Variable]:
    """The variables for a container that pushes.

    Args:
        build: The build.
        spec: Its spec.
        builder_image: What builds it.
        sbom: Whether what is pushed has layers to look into.
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
    """What was asked for, as JSON: the spec without what says how and when, not what, is built.

    Secrets are in it by their names, as in the spec. Contents of inline files are left out where they are too large.
    """
    asked = ("source", "contextDir", "dockerfile", "target", "buildArgs", "output", "registries", "executor")
    known = {field: spec[field] for field in asked if field in spec}
    if "source" in known:
        known["source"] = {kind: _without_query(said) for kind, said in known["source"].items()}
    text = json.dumps(known, ensure_ascii=False, sort_keys=True)
    if len(text.encode()) <= MOST_PARAMETERS:
        return text
    if "inline" in known.get("source", {}):
        known["source"] = {"inline": {"files": sorted(known["source"]["inline"]["files"])}}
    if "inline" in known.get("dockerfile", {}):
        del known["dockerfile"]
    return json.dumps(known, ensure_ascii=False, sort_keys=True)


def _without_query(said: object) -> object:
    """A URL of a source, which may carry a token behind its question mark."""
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
