"""Manifests of ImageBuilds, made from typed arguments or from an existing ImageBuild."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagebuild_vocabulary.names import API_VERSION, KIND

from imagebuild.build import Build

Manifest = dict[str, Any]

#: Fields of a spec that say how one build runs; a rebuild starts without them.
_OF_ONE_RUN = frozenset({"cancel", "suspend"})
#: Labels by which deployment tools find what they have applied.
_LABELS_OF_OWNERS = frozenset({"app.kubernetes.io/instance", "app.kubernetes.io/managed-by"})
_DOMAINS_OF_OWNERS = frozenset({"argocd.argoproj.io", "kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io"})
#: Characters of a prefix that the API server completes to a name.
_MAX_PREFIX = 58


@dataclass(frozen=True, slots=True)
class GitSource:
    """A Git repository.

    Attributes:
        url: As for git clone: https://, http://, git://, ssh:// or USER@HOST:PATH.
        revision: Branch, tag or full commit; empty for the default branch.
        secret: Secret with the credentials; empty for none.
    """

    url: str
    revision: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True)
class UploadSource:
    """A directory that is sent into the build pod, with `upload` of the client.

    Attributes:
        timeout_seconds: Seconds for which the pod waits for it; None for the default of the API, 600.
        max_bytes: Maximum size of the archive in bytes; None for the default of the API, 10 GiB.
        sha256: SHA-256 of the only archive that the build accepts; empty for any.
    """

    timeout_seconds: int | None = None
    max_bytes: int | None = None
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class BuildSecret:
    """A secret of RUN --mount=type=secret,id=ID.

    Attributes:
        id: ID in the Dockerfile.
        secret: Name of the Secret in the namespace of the build.
        key: Key in it.
    """

    id: str
    secret: str
    key: str


def image_build(  # noqa: PLR0913 - one argument per field
    images: Sequence[str],
    *,
    git: GitSource | None = None,
    url: str = "",
    files: Mapping[str, str] | None = None,
    upload: UploadSource | None = None,
    name: str = "",
    generate_name: str = "",
    context_dir: str = "",
    dockerfile: str = "",
    dockerfile_text: str = "",
    target: str = "",
    engine: str = "",
    build_args: Mapping[str, str] | None = None,
    build_secrets: Sequence[BuildSecret] = (),
    platforms: Sequence[str] = (),
    platform_nodes: str = "",
    labels: Mapping[str, str] | None = None,
    push: bool = True,
    push_secret: str = "",
    pull_secrets: Sequence[str] = (),
    cache: bool | None = None,
    cache_repo: str = "",
    env: Mapping[str, str] | None = None,
    timeout_seconds: int | None = None,
    limits: Mapping[str, str] | None = None,
    registries: Sequence[Mapping[str, Any]] = (),
    skip_if_unchanged: bool = False,
) -> Manifest:
    """Make the manifest of an ImageBuild. The API server checks the values.

    Args:
        images: References that the image is pushed to.
        git: The source, if it is a Git repository.
        url: The source, if it is a URL of an archive, a repository, a bucket or a registry.
        files: The source, if it is a few small files: their texts, by path.
        upload: The source, if it is a directory of this machine, which `upload` of the client sends.
        name: Name of the ImageBuild.
        generate_name: Prefix of a name that the API server makes, if name is empty. Default: made of the first image.
        context_dir: Directory of the source that is the build context.
        dockerfile: Path of the Dockerfile in the context.
        dockerfile_text: Text of the Dockerfile, if it is not in the context.
        target: Stage to build.
        engine: Auto, Kaniko or BuildKit. Default: what the defaults of the namespace or the operator say.
        build_args: Values for ARG, by name.
        build_secrets: Secrets for single RUN steps.
        platforms: Platforms of the image, such as linux/arm64.
        platform_nodes: Nodes that a platform is built on: Native (the default) or Any.
        labels: Labels of the image.
        push: If false, the image is built and not pushed.
        push_secret: Secret with the credentials for pushing.
        pull_secrets: Secrets with the credentials for base images and the cache.
        cache: If true, layers are cached in a registry; if false, they are not, whatever the defaults say.
        cache_repo: Repository of cached layers; turns the cache on.
        env: Environment variables of the build container; RUN steps do not get them.
        timeout_seconds: Time limit of the build.
        limits: Limits of the build container, by resource, such as memory: 2Gi.
        registries: Settings of registries, as in the spec.
        skip_if_unchanged: If true, nothing is built if an image of the same inputs is in the registry.

    Raises:
        ValueError: there is no image, or not exactly one source.
    """
    if not images:
        raise ValueError("no image: name at least one REGISTRY/REPOSITORY:TAG")
    if sum(source is not None and source != "" for source in (git, url, files, upload)) != 1:
        raise ValueError("set exactly one of git, url, files and upload")
    spec: Manifest = {
        "source": _source(git, url, files, upload),
        "contextDir": context_dir,
        "dockerfile": {key: text for key, text in (("path", dockerfile), ("inline", dockerfile_text)) if text},
        "target": target,
        "engine": engine,
        "buildArgs": [{"name": key, "value": value} for key, value in (build_args or {}).items()],
        "buildSecrets": [
            {"id": each.id, "secretKeyRef": {"name": each.secret, "key": each.key}} for each in build_secrets
        ],
        "output": _present(
            images=list(images),
            pushSecretRef={"name": push_secret} if push_secret else None,
            labels=dict(labels or {}),
            push=None if push else False,
            platforms=list(platforms),
            platformNodes=platform_nodes,
            skipIfUnchanged=True if skip_if_unchanged else None,
        ),
        "pullSecretRefs": [{"name": each} for each in pull_secrets],
        "cache": _cache(cache, cache_repo),
        "env": [{"name": key, "value": value} for key, value in (env or {}).items()],
        "timeoutSeconds": timeout_seconds,
        "resources": {"limits": dict(limits)} if limits else None,
        "registries": [dict(each) for each in registries],
    }
    metadata = {"name": name} if name else {"generateName": generate_name or _prefix(images[0])}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": _present(**spec)}


def rebuild(build: Build, *, name: str = "", changes: Mapping[str, Any] | None = None) -> Manifest:
    """Make the manifest of a build with the same spec.

    Args:
        build: The build to repeat. Its cancel and suspend are left out, and labels by which a tool such as Argo CD
            knows its own objects: it would delete this one as soon as it looks.
        name: Name of the new ImageBuild. Default: made by the API server from the name of the old one.
        changes: A JSON merge patch (RFC 7386) of the spec: null removes a field.
    """
    fields = {key: copy.deepcopy(value) for key, value in build.spec.items() if key not in _OF_ONE_RUN}
    labels = {
        name: value for name, value in (build.document["metadata"].get("labels") or {}).items() if not _is_owners(name)
    }
    stem = build.document["metadata"].get("generateName") or f"{build.name}-"
    metadata: Manifest = {"name": name} if name else {"generateName": stem}
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": _merged(fields, changes or {})}


def _is_owners(label: str) -> bool:
    return label in _LABELS_OF_OWNERS or label.partition("/")[0] in _DOMAINS_OF_OWNERS


def _source(git: GitSource | None, url: str, files: Mapping[str, str] | None, upload: UploadSource | None) -> Manifest:
    if upload is not None:
        limits = _present(timeoutSeconds=upload.timeout_seconds, maxBytes=upload.max_bytes)
        return {"upload": limits | _present(sha256=upload.sha256)}
    if git is not None:
        secret = {"name": git.secret} if git.secret else None
        return {"git": _present(url=git.url, revision=git.revision, secretRef=secret)}
    if url:
        return {"url": url}
    return {"inline": {"files": dict(files or {})}}


def _cache(enabled: bool | None, repo: str) -> Manifest | None:  # noqa: FBT001 - one caller
    if enabled is None and not repo:
        return None
    return _present(enabled=enabled is not False, repo=repo)


def _prefix(image: str) -> str:
    """Make a prefix from the last part of an image's repository: app- for registry.example.com/team/app:1."""
    last = image.rsplit("/", 1)[-1].partition("@")[0].partition(":")[0].lower()
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in last)
    return f"{letters.strip('-')[: _MAX_PREFIX - 1].rstrip('-') or 'build'}-"


def _merged(target: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _present(**fields: Any) -> Manifest:  # noqa: ANN401 - any JSON value
    return {key: value for key, value in fields.items() if value is not None and value not in ("", [], {})}
