"""Values of build secrets, the login for pushing and a CA bundle, in Secrets that belong to the build."""

import copy
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from imagebuild_vocabulary.image_names import registry_of
from imagebuild_vocabulary.names import API_VERSION, KIND

from imagebuild.build import Build

#: The type of a Secret with a Docker config, and its key.
DOCKER_CONFIG: Final = ("kubernetes.io/dockerconfigjson", ".dockerconfigjson")
#: The key of a CA bundle.
CA_KEY: Final = "ca.crt"
#: Bytes that a Secret holds at most.
MAX_BYTES: Final = 1024**2
#: Bytes that one value has at most: Linux limits environment variables.
MAX_VALUE: Final = 128 * 1024
#: Characters of a name, and of what is appended to it here.
_MAX_NAME: Final = 253
_MAX_SUFFIX: Final = 20
_MADE: Final = re.compile(r".+-secrets-[0-9a-f]{8}")


def secret_name(manifest: Mapping[str, Any], random: str) -> str:
    """Make the name of the Secret of a build, which may have no name itself yet."""
    metadata = manifest.get("metadata") or {}
    stem = str(metadata.get("name") or metadata.get("generateName") or "build").rstrip("-.")
    return f"{stem[: _MAX_NAME - _MAX_SUFFIX]}-secrets-{random}"


def is_made_name(name: str) -> bool:
    """Whether a Secret has a name as `secret_name` makes them."""
    return bool(_MADE.fullmatch(name))


def owner_reference(build: Build) -> dict[str, Any]:
    """Make the reference by which Kubernetes deletes an object together with a build."""
    return {"apiVersion": API_VERSION, "kind": KIND, "name": build.name, "uid": build.uid}


def with_secrets(manifest: Mapping[str, Any], secret: str, values: Mapping[str, bytes]) -> dict[str, Any]:
    """Return a manifest whose spec.buildSecrets has these secrets, too.

    Args:
        manifest: The ImageBuild.
        secret: Name of the Secret that will hold them.
        values: Their values, by id. The ids are the keys in the Secret.

    Raises:
        ValueError: they do not fit into a Secret, or one is too large or no text.
    """
    for name, value in values.items():
        if len(value) > MAX_VALUE:
            raise ValueError(f"the build secret {name} has {len(value)} bytes, and may have {MAX_VALUE} at most")
        if not _is_text(value):
            # They reach the build in environment variables, and the container runtime would quote the value.
            raise ValueError(f"the build secret {name} is no text (UTF-8 without NUL): encode it with base64")
    size = sum(map(len, values.values()))
    if size > MAX_BYTES:
        raise ValueError(f"the build secrets have {size} bytes together, and a Secret holds {MAX_BYTES} at most")
    whole = copy.deepcopy(dict(manifest))
    spec = whole.setdefault("spec", {})
    references = [{"id": each, "secretKeyRef": {"name": secret, "key": each}} for each in values]
    spec["buildSecrets"] = [*(spec.get("buildSecrets") or ()), *references]
    return whole


def with_login(manifest: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """Return a manifest that pushes with a Secret.

    Raises:
        ValueError: it names one already.
    """
    whole = copy.deepcopy(dict(manifest))
    output = whole.setdefault("spec", {}).setdefault("output", {})
    if named := (output.get("pushSecretRef") or {}).get("name"):
        raise ValueError(f"the build names Secret {named} for pushing: leave out the Secret or the login")
    output["pushSecretRef"] = {"name": secret}
    return whole


def with_ca(manifest: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """Return a manifest that verifies the registries of its images with the CA bundle in a Secret.

    Raises:
        ValueError: it says already how one of them is reached.
    """
    whole = copy.deepcopy(dict(manifest))
    spec = whole.setdefault("spec", {})
    hosts = dict.fromkeys(map(registry_of, (spec.get("output") or {}).get("images") or ()))
    registries = [dict(each) for each in spec.get("registries") or ()]
    for host in hosts:
        entry = next((each for each in registries if each.get("host") == host), None)
        if entry is None:
            registries.append(entry := {"host": host})
        if said := entry.keys() & {"plainHTTP", "insecureSkipTLSVerify", "caBundle"}:
            raise ValueError(f"spec.registries has {min(said)} for {host}: leave it or the CA bundle out")
        entry["caBundle"] = {"secretKeyRef": {"name": secret, "key": CA_KEY}}
    spec["registries"] = registries
    return whole


def _is_text(value: bytes) -> bool:
    try:
        return "\0" not in value.decode()
    except UnicodeDecodeError:
        return False


def secret_of(
    name: str, values: Mapping[str, bytes], build: Build | None = None, kind: str = "Opaque"
) -> dict[str, Any]:
    """Make the Secret with the values. Kubernetes deletes it together with the build, if that is given."""
    metadata: dict[str, Any] = {"name": name}
    if build is not None:
        metadata["ownerReferences"] = [owner_reference(build)]
    data = {key: b64encode(value).decode() for key, value in values.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": kind,
        "immutable": True,
        "data": data,
    }
