"""The environment variables that tell the builder image what to build; it gets nothing else from the operator.

What each variable means is in `docs/reference/variables.md`. Secrets are named, never read: the kubelet resolves the
references in the build's own namespace.
"""

import base64
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from imagebuild_operator.api.build import BuildArg, BuildSpec, Platform, Registry
from imagebuild_operator.api.sources import KeyRef, OciSource
from imagebuild_operator.pod.env import Variable, from_key, plain
from imagebuild_operator.pod.source import context_variables

#: OCI layout that `build` writes and `push` reads; below /kaniko, which the executor does not touch.
LAYOUT_PATH: Final = "/kaniko/layout"
#: Where `build` keeps the contents of cache mounts.
CACHES_PATH: Final = "/kaniko/.run-caches"
#: Where `build` finds base images that were downloaded before.
BASE_IMAGES_PATH: Final = "/kaniko/.base-images"

#: Hosts of Docker Hub, whose mirrors have their own variable.
DOCKER_HUB: Final = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})


def build_variables(
    spec: BuildSpec, registries: Sequence[Registry], platform: Platform | None = None
) -> list[Variable]:
    """The variables of the `build` container: everything except the push credentials.

    Args:
        spec: What to build.
        registries: Its registries, and those of the defaults.
        platform: The platform to build for; None for the node's.

    Raises:
        InvalidSpecError: inline files are too large.
    """
    return [
        *context_variables(spec.source),
        *plain("CONTEXT_SUB_PATH", spec.context_dir),
        *plain("DOCKERFILE_PATH", spec.dockerfile_path),
        *plain("DOCKERFILE_CONTENT", spec.dockerfile_inline),
        *plain("TARGET", spec.target),
        *plain("PLATFORM", str(platform) if platform else None),
        *_build_args(spec.build_args),
        *_build_secrets(spec.build_secrets),
        *plain("OUTPUT_IMAGE", ",".join(spec.images)),
        *plain("OUTPUT_LAYOUT", LAYOUT_PATH),
        *plain("LABELS", json.dumps(dict(spec.labels), ensure_ascii=False, sort_keys=True) if spec.labels else None),
        *plain("EXTRA_ARGS", shlex.join(spec.executor_args)),
        *plain("RUN_NETWORK", "none" if spec.without_network else None),
        *plain("IMAGE_TIMESTAMP", {"Commit": "commit", "Zero": "0"}.get(spec.timestamp or "", spec.timestamp)),
        *plain("ALLOWED_BASE_IMAGES", None if spec.base_images is None else ",".join(spec.base_images) or "scratch"),
        *plain("SKIP_IF_UNCHANGED", "true" if spec.skip_if_unchanged else None),
        *cache_variables(spec),
        *pull_variables(spec, registries),
    ]


def pull_variables(spec: BuildSpec, registries: Sequence[Registry]) -> list[Variable]:
    """The variables by which base images are reached."""
    return [*_registry_access(registries), *_mirrors_and_maps(registries), *_docker_configs(_pull_secrets(spec))]


def check_variables(spec: BuildSpec, registries: Sequence[Registry]) -> list[Variable]:
    """The variables of the `check` container: the outputs and the push credentials."""
    return [*plain("OUTPUT_IMAGE", ",".join(spec.images)), *_registry_access(registries), *_push_credentials(spec)]


def push_variables(spec: BuildSpec, registries: Sequence[Registry]) -> list[Variable]:
    """The variables of the `push` container: the outputs and the push credentials."""
    return [
        *plain("OUTPUT_IMAGE", ",".join(spec.images)),
        *plain("OUTPUT_LAYOUT", LAYOUT_PATH),
        *plain("NO_PUSH", None if spec.push else "true"),
        *plain("PUSH_BY_DIGEST", "true" if spec.has_index and spec.push else None),
        *_immutable_tags(spec),
        *_registry_access(registries),
        *_push_credentials(spec),
    ]


def index_variables(spec: BuildSpec, registries: Sequence[Registry], digests: Mapping[str, str]) -> list[Variable]:
    """The variables of the `index` container: the outputs, the push credentials and the digest of each platform."""
    return [
        *plain("OUTPUT_IMAGE", ",".join(spec.images)),
        *plain("INDEX_MANIFESTS", ",".join(f"{platform}={digest}" for platform, digest in digests.items())),
        *_immutable_tags(spec),
        *_registry_access(registries),
        *_push_credentials(spec),
    ]


def _build_args(build_args: Iterable[BuildArg]) -> list[Variable]:
    """Literal values go base64-encoded into BUILD_ARG; each referenced value gets its own variable."""
    known: list[str] = []
    names: dict[str, list[str]] = {"secretKeyRef": [], "configMapKeyRef": []}
    references: list[Variable] = []
    for arg in build_args:
        if isinstance(arg.value, KeyRef):
            variable = f"BUILD_ARG_VALUE_{len(references)}"
            names[arg.value.field].append(f"{arg.name}={variable}")
            references.append(from_key(variable, arg.value))
        else:
            known.append(base64.b64encode(f"{arg.name}={arg.value}".encode()).decode())
    return [
        *plain("BUILD_ARG", ",".join(known)),
        *plain("BUILD_ARG_FROM", ",".join(names["secretKeyRef"])),
        *plain("BUILD_ARG_FROM_CONFIG", ",".join(names["configMapKeyRef"])),
        *references,
    ]


def _build_secrets(secrets: Mapping[str, KeyRef]) -> list[Variable]:
    """Each value gets its own variable, since an id may be no variable's name. RUN could read it from a file."""
    values = {f"BUILD_SECRET_VALUE_{index}": ref for index, ref in enumerate(secrets.values())}
    return [
        *plain("BUILD_SECRET_FROM", ",".join(f"{name}={value}" for name, value in zip(secrets, values, strict=True))),
        *(from_key(variable, ref) for variable, ref in values.items()),
    ]


def cache_variables(spec: BuildSpec) -> list[Variable]:
    """The variables of the layer cache."""
    cache = spec.cache
    if not cache.enabled:
        return plain("CACHE", "false")
    return [
        *plain("CACHE", "true"),
        *plain("CACHE_REPO", cache.repo),
        *plain("CACHE_TTL", f"{cache.ttl_seconds}s" if cache.ttl_seconds else None),
        *plain("CACHE_READ_ONLY", "true" if cache.read_only else None),
    ]


def _immutable_tags(spec: BuildSpec) -> list[Variable]:
    """The only executor flag that `push` and `check` heed."""
    flag = "--push-ignore-immutable-tag-errors"
    return plain("EXTRA_ARGS", shlex.join(each for each in spec.executor_args if each.partition("=")[0] == flag))


def _registry_access(registries: Sequence[Registry]) -> list[Variable]:
    return [
        *plain("INSECURE_REGISTRIES", ";".join(r.host for r in registries if r.plain_http)),
        *plain("SKIP_TLS_VERIFY_REGISTRIES", ";".join(r.host for r in registries if r.skip_tls_verify)),
        *_numbered("REGISTRY_CA", list(dict.fromkeys(r.ca_bundle for r in registries if r.ca_bundle))),
    ]


def _mirrors_and_maps(registries: Sequence[Registry]) -> list[Variable]:
    """Mirrors and maps. The executor's fallback to the registry itself is all or nothing: a map turns it off."""
    hub_mirrors = [mirror for r in registries if r.host in DOCKER_HUB for mirror in r.mirrors]
    pairs = [
        f"{'index.docker.io' if r.host in DOCKER_HUB else r.host}={address}"
        for r in registries
        for address in ([r.map_to] if r.map_to else [] if r.host in DOCKER_HUB else r.mirrors)
    ]
    return [
        *plain("REGISTRY_MIRRORS", ",".join(hub_mirrors)),
        *plain("REGISTRY_MAP", ",".join(pairs)),
        *plain("SKIP_DEFAULT_REGISTRY_FALLBACK", "true" if any(r.map_to for r in registries) else None),
    ]


def _push_credentials(spec: BuildSpec) -> list[Variable]:
    return _docker_configs([spec.push_secret] if spec.push_secret and spec.push else [])


def _pull_secrets(spec: BuildSpec) -> Sequence[str]:
    """The context's Secret goes first, since the first that has an entry for a registry is used."""
    own = spec.source.secret if isinstance(spec.source, OciSource) else None
    return list(dict.fromkeys([*([own] if own else []), *spec.pull_secrets]))


def _docker_configs(secrets: Sequence[str]) -> list[Variable]:
    return _numbered("DOCKER_CONFIG_JSON", [KeyRef("secretKeyRef", secret, ".dockerconfigjson") for secret in secrets])


def _numbered(name: str, refs: Sequence[KeyRef]) -> list[Variable]:
    """NAME, NAME_1, NAME_2, …, which the builder image joins."""
    return [from_key(f"{name}_{index}" if index else name, ref) for index, ref in enumerate(refs)]
