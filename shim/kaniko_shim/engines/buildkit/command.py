"""The configuration of the daemon, and the command that asks it for a build. Pure."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from imagebuild_vocabulary.image_names import beginnings

from kaniko_shim.engines.buildkit.intake import CACHE, IMAGE
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.registries import Registries
from kaniko_shim.request.build_args import with_both_spellings
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.processes.invocation import Invocation

_DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
# The daemon wants a tag; what was built is known by its digest.
_BUILT = "built"
_OTHER_ENGINE = "Use the engine Kaniko for it."


@dataclass(frozen=True, slots=True)
class Places:
    """The directories and files of one build.

    Attributes:
        context: the context.
        dockerfile: the Dockerfile.
        intake: `host:port/name` of the registry that takes in what is built.
        metadata: where buildctl writes what it has built, as JSON.
        secrets: the file of each build secret, by its id.
        ssh_keys: the ids of those that RUN --mount=type=ssh names.
        policy: the file with the policy for sources, of a build that has one.
    """

    context: Path
    dockerfile: Path
    intake: str
    metadata: Path
    secrets: Mapping[str, Path]
    ssh_keys: Collection[str] = ()
    policy: Path = Path()


def refuse(request: BuildRequest) -> None:
    """Refuse what this engine would leave out without a word.

    Raises:
        JobError: InvalidSpec; it names the variable.
    """
    if request.secret_build_args:
        raise JobError(
            Reason.INVALID_SPEC,
            "BUILD_ARG_FROM: BuildKit writes the values of build arguments into the history of the image, as Docker "
            "does.",
            hint=f"Give the value as a build secret (BUILD_SECRET_…), and use it with RUN --mount=type=secret. "
            f"{_OTHER_ENGINE}",
        )
    if request.registries.skip_fallback:
        raise JobError(
            Reason.INVALID_SPEC,
            "SKIP_DEFAULT_REGISTRY_FALLBACK: BuildKit asks the registry itself where its mirrors have no image.",
            hint=_OTHER_ENGINE,
        )
    unknown = [f"--{extra.name}" for extra in request.extra_args if extra.name != "push-ignore-immutable-tag-errors"]
    if unknown:
        raise JobError(
            Reason.INVALID_SPEC, f"EXTRA_ARGS: {', '.join(unknown)}: these are flags of kaniko.", hint=_OTHER_ENGINE
        )
    if request.cache and request.cache.ttl_seconds is not None:
        raise JobError(
            Reason.INVALID_SPEC,
            "CACHE_TTL: BuildKit takes what is cached whatever its age.",
            hint=f"Leave it out; delete the cache's repository to build everything again. {_OTHER_ENGINE}",
        )


def daemon_config(registries: Registries, paths: Paths) -> str:
    """The daemon's configuration, in TOML.

    Args:
        registries: how registries are reached.
        paths: the builder's directories.
    """
    mirrors = dict[str, list[str]]()
    for host, mirror in (
        *(("docker.io", mirror) for mirror in registries.mirrors),
        *((entry.host, entry.mirror) for entry in registries.maps),
    ):
        mirrors.setdefault("docker.io" if host in _DOCKER_HUB else host, []).append(mirror)
    hosts = dict.fromkeys((*mirrors, *registries.insecure, *registries.skip_tls_verify))
    lines = [
        f"root = {_quoted(paths.buildkit_state)}",
        # RUN --network=host asks for what every RUN has here: the network of the container.
        'insecure-entitlements = ["network.host"]',
        "[log]",
        'level = "warn"',
        "[otel]",
        f"socketPath = {_quoted(paths.buildkit_run / 'otel.sock')}",
        "[cdi]",
        "disabled = true",
        "[grpc]",
        f"address = [{_quoted(f'unix://{socket(paths)}')}]",
        '[frontend."gateway.v0"]',
        "enabled = false",
        "[worker.containerd]",
        "enabled = false",
        "[worker.oci]",
        "enabled = true",
        "gc = false",
        'snapshotter = "overlayfs"',
        # The pod's: a network of its own would need privileges of the node.
        'networkMode = "host"',
        f"binary = {_quoted(paths.runc)}",
    ]
    for host in hosts:
        lines.append(f"[registry.{_quoted(host)}]")
        if host in mirrors:
            lines.append(f"mirrors = [{', '.join(map(_quoted, mirrors[host]))}]")
        if host in registries.insecure:
            lines.append("http = true")
        elif host in registries.skip_tls_verify:
            lines.append("insecure = true")
    return "".join(f"{line}\n" for line in lines)


def source_policy(allowed: Collection[str]) -> str:
    """What the daemon refuses to pull, as JSON: the last rule that matches an image counts.

    The rules are those of github.com/moby/buildkit/sourcepolicy.

    Args:
        allowed: the images that FROM and --from may name.
    """
    identifiers = [name for each in allowed for name in (each, *(f"{begin}*" for begin in beginnings(each)))]
    rules = [("DENY", "*"), *(("ALLOW", name) for name in identifiers)]
    return json.dumps(
        {
            "rules": [
                {"action": action, "selector": {"identifier": f"docker-image://{name}", "matchType": "WILDCARD"}}
                for action, name in rules
            ]
        }
    )


def daemon(paths: Paths, config: Path, *, has_own_processes: bool) -> tuple[str, ...]:
    """The daemon's command.

    Args:
        paths: the builder's directories.
        config: the file with its configuration.
        has_own_processes: whether each RUN gets process IDs of its own.
    """
    shared = () if has_own_processes else ("--rootless", "--oci-worker-no-process-sandbox")
    return (str(paths.buildkitd), "--config", str(config), *shared)


def socket(paths: Paths) -> Path:
    """Where the daemon listens."""
    return paths.buildkit_run / "buildkitd.sock"


def invocation(request: BuildRequest, places: Places, paths: Paths, environment: Mapping[str, str]) -> Invocation:
    """The command that builds.

    Args:
        request: what to build.
        places: where.
        paths: the builder's directories.
        environment: the variables of the command; those of proxies are passed on to RUN steps on request.
    """
    options = [
        ("filename", places.dockerfile.name),
        # As if a frontend had been named already: one that the Dockerfile names would be pulled and run.
        ("cmdline", "builtin"),
        *((f"build-arg:{name}", value) for name, value in with_both_spellings(request.build_args)),
        *((f"build-arg:{name}", environment[name]) for name in request.run_proxy if name in environment),
        *((f"label:{label.name}", label.value) for label in request.labels),
        *([("force-network-mode", "none")] if request.without_network else []),
        *([("build-arg:SOURCE_DATE_EPOCH", str(request.timestamp))] if request.timestamp is not None else []),
        *([("target", request.target)] if request.target else []),
        *([("platform", request.platform.name)] if request.platform else []),
    ]
    argv = [
        *(str(paths.buildctl), "--addr", f"unix://{socket(paths)}", "build"),
        *("--progress=rawjson", "--frontend=dockerfile.v0"),
        *([] if request.without_network else ["--allow=network.host"]),
        f"--local=context={places.context}",
        f"--local=dockerfile={places.dockerfile.parent}",
        *(f"--opt={name}={value}" for name, value in options),
        *(f"--secret=id={name},src={path}" for name, path in places.secrets.items()),
        *(f"--ssh={name}={path}" for name, path in places.secrets.items() if name in places.ssh_keys),
        f"--metadata-file={places.metadata}",
        f"--output=type=image,name={places.intake}/{IMAGE}:{_BUILT},push=true,oci-mediatypes=true"
        + (",rewrite-timestamp=true" if request.timestamp is not None else ""),
        *([f"--source-policy-file={places.policy}"] if request.allowed_base_images else []),
        *([] if request.cache else ["--no-cache"]),
        *_cache(request, places.intake),
    ]
    return Invocation(tuple(argv), environment)


def _cache(request: BuildRequest, intake: str) -> Iterable[str]:
    if not request.cache:
        return
    yield f"--import-cache=type=registry,ref={request.cache.repo}:{cache_tag(request)}"
    if not request.cache.read_only:
        yield f"--export-cache=type=registry,ref={intake}/{CACHE}:{_BUILT},mode=max,ignore-error=true"


def cache_tag(request: BuildRequest) -> str:
    """Tells apart the builds that share a repository: each writes all of its steps under one tag."""
    platform = request.platform.name if request.platform else ""
    parts = [sorted({output.repository for output in request.outputs}), request.source.sub_path]
    parts += [request.dockerfile_path, request.target, platform]
    return f"buildkit-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}"


def _quoted(value: object) -> str:
    # A string of JSON is one of TOML.
    return json.dumps(str(value))
