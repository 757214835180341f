"""A build as the builder image's environment variables: the whole of what passes from the operator to it.

What each variable means is in `docs/variables.md`. Secrets are named, never read: the kubelet resolves the
references in the build's own namespace.
"""

import base64
from collections.abc import Iterable, Sequence
from typing import Any, Final

from imagebuild_operator.inline import data_url
from imagebuild_operator.model import (
    BuildArg,
    BuildSpec,
    ConfigMapSource,
    GitSource,
    HttpSource,
    InlineSource,
    KeyRef,
    Registry,
    UrlSource,
)

Variable = dict[str, Any]

#: Where the two containers of the pod meet; below /kaniko, which the executor leaves alone.
LAYOUT_PATH: Final = "/kaniko/layout"
#: Where a ConfigMap's files are mounted.
SOURCE_PATH: Final = "/kaniko/source"

#: The names that stand for Docker Hub, whose mirrors have a variable of their own.
DOCKER_HUB: Final = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})


def build_variables(spec: BuildSpec, registries: Sequence[Registry]) -> list[Variable]:
    """The variables of the `build` container: everything but the credentials for pushing.

    Raises:
        InvalidSpecError: inline files are too large.
    """
    return [
        *_source(spec),
        *_plain("CONTEXT_SUB_PATH", spec.context_dir),
        *_plain("DOCKERFILE_PATH", spec.dockerfile_path),
        *_plain("DOCKERFILE_CONTENT", spec.dockerfile_inline),
        *_plain("TARGET", spec.target),
        *_build_args(spec.build_args),
        *_plain("OUTPUT_IMAGE", ",".join(spec.images)),
        *_plain("OUTPUT_LAYOUT", LAYOUT_PATH),
        *_cache(spec),
        *_reaching(registries),
        *_standing_in(registries),
        *_pull_credentials(spec.pull_secrets),
    ]


def check_variables(spec: BuildSpec, registries: Sequence[Registry]) -> list[Variable]:
    """The variables of the `check` container: what `push` has of outputs and credentials."""
    return [variable for variable in push_variables(spec, registries) if variable["name"] != "OUTPUT_LAYOUT"]


def push_variables(spec: BuildSpec, registries: Sequence[Registry]) -> list[Variable]:
    """The variables of the `push` container: outputs, and the credentials for them."""
    return [
        *_plain("OUTPUT_IMAGE", ",".join(spec.images)),
        *_plain("OUTPUT_LAYOUT", LAYOUT_PATH),
        *_plain("NO_PUSH", None if spec.push else "true"),
        *_reaching(registries),
        *(_docker_config("DOCKER_CONFIG_JSON", spec.push_secret) if spec.push_secret and spec.push else []),
    ]


def _plain(name: str, value: str | None) -> list[Variable]:
    return [{"name": name, "value": value}] if value else []


def _from_key(name: str, ref: KeyRef) -> Variable:
    return {"name": name, "valueFrom": {ref.field: {"name": ref.name, "key": ref.key}}}


def _docker_config(name: str, secret: str) -> list[Variable]:
    return [_from_key(name, KeyRef("secretKeyRef", secret, ".dockerconfigjson"))]


def _source(spec: BuildSpec) -> list[Variable]:
    match spec.source:
        case UrlSource(url):
            return _plain("SOURCE_GET_URL", url)
        case HttpSource(url, sha256, secret):
            return [*_plain("SOURCE_GET_URL", url), *_plain("SOURCE_SHA256", sha256), *_basic_auth(secret)]
        case GitSource(url, revision, secret):
            return [*_plain("SOURCE_GET_URL", git_url(url, revision)), *_basic_auth(secret)]
        case InlineSource(files):
            return _plain("SOURCE_GET_URL", data_url(files))
        case ConfigMapSource():
            return _plain("SOURCE_GET_URL", f"dir://{SOURCE_PATH}")


def git_url(url: str, revision: str | None) -> str:
    """Mark an address as Git's, whatever its path ends in, and add the revision.

    >>> git_url("https://example.com/team/app", "v1.2")
    'git+https://example.com/team/app#v1.2'
    """
    marked = f"git+{url}" if url.startswith(("http://", "https://")) else url
    return f"{marked}#{revision}" if revision else marked


def _basic_auth(secret: str | None) -> list[Variable]:
    """The keys of a Secret of type kubernetes.io/basic-auth."""
    if secret is None:
        return []
    return [
        _from_key("SOURCE_USERNAME", KeyRef("secretKeyRef", secret, "username")),
        _from_key("SOURCE_PASSWORD", KeyRef("secretKeyRef", secret, "password")),
    ]


def _build_args(build_args: Iterable[BuildArg]) -> list[Variable]:
    """Known values go base64-encoded into BUILD_ARG; the others each into a variable of its own, which is named."""
    known: list[str] = []
    names: dict[str, list[str]] = {"secretKeyRef": [], "configMapKeyRef": []}
    references: list[Variable] = []
    for arg in build_args:
        if isinstance(arg.value, KeyRef):
            variable = f"BUILD_ARG_VALUE_{len(references)}"
            names[arg.value.field].append(f"{arg.name}={variable}")
            references.append(_from_key(variable, arg.value))
        else:
            known.append(base64.b64encode(f"{arg.name}={arg.value}".encode()).decode())
    return [
        *_plain("BUILD_ARG", ",".join(known)),
        *_plain("BUILD_ARG_FROM", ",".join(names["secretKeyRef"])),
        *_plain("BUILD_ARG_FROM_CONFIG", ",".join(names["configMapKeyRef"])),
        *references,
    ]


def _cache(spec: BuildSpec) -> list[Variable]:
    cache = spec.cache
    if not cache.enabled:
        return _plain("CACHE", "false")
    return [
        *_plain("CACHE", "true"),
        *_plain("CACHE_REPO", cache.repo),
        *_plain("CACHE_TTL", f"{cache.ttl_seconds}s" if cache.ttl_seconds else None),
        *_plain("CACHE_READ_ONLY", "true" if cache.read_only else None),
    ]


def _reaching(registries: Sequence[Registry]) -> list[Variable]:
    return [
        *_plain("INSECURE_REGISTRIES", ";".join(r.host for r in registries if r.insecure)),
        *_plain("SKIP_TLS_VERIFY_REGISTRIES", ";".join(r.host for r in registries if r.skip_tls_verify)),
    ]


def _standing_in(registries: Sequence[Registry]) -> list[Variable]:
    """Mirrors and maps. The executor has one switch for falling back to the registry itself: off once a map is used."""
    hub_mirrors = [mirror for r in registries if r.host in DOCKER_HUB for mirror in r.mirrors]
    pairs = [
        f"{'index.docker.io' if r.host in DOCKER_HUB else r.host}={address}"
        for r in registries
        for address in ([r.map_to] if r.map_to else [] if r.host in DOCKER_HUB else r.mirrors)
    ]
    return [
        *_plain("REGISTRY_MIRRORS", ",".join(hub_mirrors)),
        *_plain("REGISTRY_MAP", ",".join(pairs)),
        *_plain("SKIP_DEFAULT_REGISTRY_FALLBACK", "true" if any(r.map_to for r in registries) else None),
    ]


def _pull_credentials(secrets: Sequence[str]) -> list[Variable]:
    numbered = ("DOCKER_CONFIG_JSON" if index == 0 else f"DOCKER_CONFIG_JSON_{index}" for index in range(len(secrets)))
    return [
        variable for name, secret in zip(numbered, secrets, strict=True) for variable in _docker_config(name, secret)
    ]
