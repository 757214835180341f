"""Turns a request into the executor's command line and environment."""

from collections.abc import Mapping
from pathlib import Path

from kaniko_shim.engines.kaniko.executor.abilities import Abilities
from kaniko_shim.engines.kaniko.executor.feature_flags import TABLE
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.registry.references import DOCKER_HUB
from kaniko_shim.request.build_args import with_both_spellings
from kaniko_shim.request.build_request import BuildRequest
from kaniko_shim.request.extra_args import several
from kaniko_shim.system.paths import Paths
from kaniko_shim.system.processes.invocation import Invocation
from kaniko_shim.system.tool_environment import tool_environment

_RETRIES = "3"
# The executor also retries errors that are permanent, such as an unknown image, and at each mirror. Below it, the
# library retries what may pass.
_DOWNLOAD_RETRIES = "1"


def invocation(
    request: BuildRequest,
    *,
    context: Path,
    dockerfile: Path,
    abilities: Abilities,
    environment: Mapping[str, str],
    paths: Paths,
    ignored: tuple[str, ...] = (),
    keeps_var_run: bool = True,
) -> Invocation:
    """The executor's command for a request.

    Args:
        request: what to build.
        context: the context's directory.
        dockerfile: absolute path of the Dockerfile; the executor looks for a relative one elsewhere first.
        abilities: what the executor supports; other flags are omitted.
        environment: the variables that the process was started with.
        paths: the builder's places.
        ignored: paths that snapshots ignore.
        keeps_var_run: whether `/var/run` becomes part of the image, as in Docker; False if something is mounted there.

    Raises:
        JobError: InvalidSpec; the request needs a flag that this executor does not have.
    """
    flags: list[tuple[str, str]] = [
        ("context", str(context)),
        ("dockerfile", str(dockerfile)),
        ("log-format", "text"),
        ("log-timestamp", "false"),
        # By content: other modes miss a changed file whose size and time stay the same.
        ("snapshot-mode", "full"),
        *([("ignore-var-run", "false")] if keeps_var_run else []),
        ("push-retry", _RETRIES),
        ("image-download-retry", _DOWNLOAD_RETRIES),
        ("image-fs-extract-retry", _RETRIES),
        *(("ignore-path", path) for path in ignored),
        *(("build-arg", f"{name}={value}") for name, value in with_both_spellings(request.build_args)),
        *(("build-arg", argument.name) for argument in request.secret_build_args),
        *(("build-arg", name) for name in request.run_proxy),
        *(("label", f"{label.name}={label.value}") for label in request.labels),
        *_output_flags(request, paths),
        *_cache_flags(request, abilities, paths),
        *_registry_flags(request),
    ]
    if request.platform:
        if "custom-platform" not in abilities.flags:
            raise JobError(Reason.INVALID_SPEC, "PLATFORM: this executor builds only for its own platform; unset it.")
        flags.append(("custom-platform", request.platform.name))
    if request.target:
        flags.append(("target", request.target))
    flags = _with_extra(flags, request, abilities)
    argv = [f"--{name}={value}" for name, value in flags if name in abilities.flags]
    secrets = {argument.name: argument.value for argument in request.secret_build_args}
    on = {} if abilities.is_old else dict.fromkeys(TABLE, "true")
    return Invocation(
        (str(paths.executor), *argv),
        # Without USER, the executor cannot look up who it is.
        on | tool_environment(environment, paths) | {"USER": "root"} | secrets,
    )


def _output_flags(request: BuildRequest, paths: Paths) -> list[tuple[str, str]]:
    flags = [("destination", output.name) for output in request.outputs]
    if request.push:
        flags.append(("digest-file", str(paths.digest_file)))
    else:
        flags.append(("no-push", "true"))
    if request.layout:
        flags.append(("oci-layout-path", request.layout))
    return flags


def _with_extra(flags: list[tuple[str, str]], request: BuildRequest, abilities: Abilities) -> list[tuple[str, str]]:
    """The flags with those of EXTRA_ARGS, which replace the shim's own."""
    unknown = [f"--{extra.name}" for extra in request.extra_args if extra.name not in abilities.flags]
    if unknown:
        raise JobError(Reason.INVALID_SPEC, f"EXTRA_ARGS: this executor does not support {', '.join(unknown)}.")
    replaced = {extra.name for extra in request.extra_args if not several(extra.name)}
    kept = [(name, value) for name, value in flags if name not in replaced]
    return kept + [(extra.name, extra.value) for extra in request.extra_args]


def _cache_flags(request: BuildRequest, abilities: Abilities, paths: Paths) -> list[tuple[str, str]]:
    if request.cache is None:
        return []
    # Uncompressed: the executor holds compressed layers in memory.
    flags = [("cache", "true"), ("cache-repo", request.cache.repo), ("compressed-caching", "false")]
    if not abilities.is_old:
        # Whole stages are skipped whose layers are all cached. Where nothing is mounted for base images, the executor
        # finds nothing there and goes on.
        flags += [("cache-copy-layers", "true"), ("cache-dir", str(paths.base_images))]
    if request.cache.ttl_seconds is not None:
        flags.append(("cache-ttl", f"{request.cache.ttl_seconds}s"))
    if request.cache.read_only:
        if "no-push-cache" not in abilities.flags:
            raise JobError(
                Reason.INVALID_SPEC,
                "CACHE_READ_ONLY: this executor always writes to its cache; unset it.",
            )
        flags.append(("no-push-cache", "true"))
    return flags


def _registry_flags(request: BuildRequest) -> list[tuple[str, str]]:
    registries = request.registries
    flags = [("insecure-registry", host) for host in registries.insecure]
    flags += [("skip-tls-verify-registry", host) for host in registries.skip_tls_verify]
    # A mirror is a map of Docker Hub; using one flag for both keeps their order.
    maps = [(DOCKER_HUB, mirror) for mirror in registries.mirrors]
    maps += [(entry.host, entry.mirror) for entry in registries.maps]
    flags += [("registry-map", f"{host}={mirror}") for host, mirror in maps]
    if registries.skip_fallback:
        flags.append(("skip-default-registry-fallback", "true"))
    return flags
