"""THE table of executor flags that EXTRA_ARGS may hold, and of those that it may not."""

import posixpath
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

_SWITCH = re.compile(r"true|false")
_NUMBER = re.compile(r"[0-9]{1,3}")
_LARGEST_RETRY = 20
_HIGHEST_LEVEL = 22
# What would take the builder, or what every program needs, out of the file system.
_NEVER_IGNORED = frozenset({"", "kaniko", "bin", "sbin", "lib", "lib64", "usr", "etc"})
_IGNORE_IMMUTABLE = "push-ignore-immutable-tag-errors"
_PATTERN = re.compile(r"[*?\[\\]")


@dataclass(frozen=True, slots=True)
class ExtraArg:
    """A flag for the executor, without its hyphens."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class _Flag:
    """A flag that is allowed.

    Attributes:
        accepts: whether a value is good.
        form: what to write, for the message and the documentation.
        reason: why one would want it, for the documentation.
        several: whether it may be given more than once.
    """

    accepts: Callable[[str], bool]
    form: str
    reason: str
    several: bool = False


def _one_of(*words: str) -> Callable[[str], bool]:
    return frozenset(words).__contains__


def _is_switch(value: str) -> bool:
    return bool(_SWITCH.fullmatch(value))


def _is_retry(value: str) -> bool:
    return bool(_NUMBER.fullmatch(value)) and int(value) <= _LARGEST_RETRY


def _is_level(value: str) -> bool:
    return value == "-1" or (bool(_NUMBER.fullmatch(value)) and int(value) <= _HIGHEST_LEVEL)


def _may_be_ignored(value: str) -> bool:
    path = posixpath.normpath(value).lstrip("/")
    is_clean = value.startswith("/") and value.rstrip("/") == f"/{path}"
    return is_clean and path.split("/")[0] not in _NEVER_IGNORED and not _PATTERN.search(path)


def _switch(reason: str) -> _Flag:
    return _Flag(_is_switch, "true or false", reason)


def _retries(reason: str) -> _Flag:
    return _Flag(_is_retry, f"a number up to {_LARGEST_RETRY}", reason)


ALLOWED: dict[str, _Flag] = {
    "annotation": _Flag(
        lambda value: "=" in value, "name=value", "An annotation of the image's manifest.", several=True
    ),
    "cache-copy-layers": _switch("Caches COPY layers too; worth it where copying is slower than fetching a layer."),
    "cache-run-layers": _switch("`false`: RUN layers are not cached."),
    "compressed-caching": _switch("`true` saves time when layers are cached, and takes their size in memory."),
    "compression": _Flag(_one_of("gzip", "zstd"), "gzip or zstd", "How layers are compressed."),
    "compression-level": _Flag(_is_level, f"a number from -1 to {_HIGHEST_LEVEL}", "Smaller, or sooner."),
    "ignore-path": _Flag(
        _may_be_ignored,
        "an absolute path without .. and patterns, not of the system's programs",
        "Leaves a path out of snapshots. It is not unpacked from base images either.",
        several=True,
    ),
    "ignore-var-run": _switch("`false`: `/var/run` comes into the image."),
    "image-download-retry": _retries("How often a base image is asked for again."),
    "image-format": _Flag(_one_of("docker", "oci"), "docker or oci", "The image's media types."),
    "image-fs-extract-retry": _retries("How often unpacking a base image is tried again."),
    _IGNORE_IMMUTABLE: _switch("`true`: a tag that exists and can't be changed is no failure."),
    "push-retry": _retries("How often a push is tried again."),
    "reproducible": _switch("`true`: no times in the image; takes memory, since all layers are written anew."),
    "single-snapshot": _switch("`true`: one layer for all instructions; nothing is cached then."),
    "skip-push-permission-check": _switch("`true`: the registry is not asked beforehand whether it takes the image."),
    "skip-unused-stages": _switch("`true`: stages that the target does not need are not built."),
    "snapshot-mode": _Flag(
        _one_of("full", "redo", "time"),
        "full, redo or time",
        "How changed files are found. `redo` (the shim's choice) looks at times, sizes, modes and owners, and takes "
        "half the time of `full`, which reads every file; `time` may miss changes.",
    ),
    "use-new-run": _switch("`true`: another way of finding changed files; it may miss some."),
    "verbosity": _Flag(
        _one_of("panic", "fatal", "error", "warn", "info", "debug", "trace"),
        "error, warn, info, debug or trace",
        "How much the executor writes. The shim follows a build by its lines: below `info` it can't name the "
        "instruction that fails.",
    ),
}
"""Flags by name."""

_DESTINATION = "it decides what is pushed where; set OUTPUT_IMAGE, NO_PUSH or OUTPUT_LAYOUT"
_DIGEST = "it would write files that RUN steps can forge; the digest stands in the result"
_REGISTRY = "it would concern every registry; name them in INSECURE_REGISTRIES or SKIP_TLS_VERIFY_REGISTRIES"
_CONTEXT = "the shim fetches the context itself; set SOURCE_GET_URL and CONTEXT_SUB_PATH"
_PLACES = "the builder would not find, or would delete, its own files"
_LOG = "the shim reads the executor's log, and must know its form"
_CREDENTIALS = "it concerns credentials, which only variables that are masked may hold"

REFUSED: dict[str, str] = {
    "build-arg": "its value would be seen; set BUILD_ARG or BUILD_ARG_FROM",
    "bucket": _CONTEXT,
    "cache": "set CACHE",
    "cache-dir": _PLACES,
    "cache-repo": "set CACHE_REPO",
    "cache-ttl": "set CACHE_TTL",
    "cleanup": _PLACES,
    "context": _CONTEXT,
    "context-sub-path": _CONTEXT,
    "credential-helpers": _CREDENTIALS,
    "custom-platform": "set PLATFORM",
    "destination": _DESTINATION,
    "digest-file": _DIGEST,
    "dockerfile": "set DOCKERFILE_PATH or DOCKERFILE_CONTENT",
    "dryrun": "use --dry-run of kaniko-shim",
    "force": "the shim sees to it that the executor knows its container",
    "force-build-metadata": "the cache's keys would change",
    "git": _CONTEXT,
    "image-name-tag-with-digest-file": _DIGEST,
    "image-name-with-digest-file": _DIGEST,
    "insecure": _REGISTRY,
    "insecure-pull": _REGISTRY,
    "insecure-registry": "set INSECURE_REGISTRIES",
    "kaniko-dir": _PLACES,
    "label": "set LABELS",
    "log-format": _LOG,
    "log-timestamp": _LOG,
    "materialize": _PLACES,
    "no-push": _DESTINATION,
    "no-push-cache": "set CACHE_READ_ONLY",
    "oci-layout-path": _DESTINATION,
    "pre-cleanup": _PLACES,
    "preserve-context": _PLACES,
    "registry-certificate": "mount the authority's certificate into /kaniko/ssl/certs",
    "registry-client-cert": _CREDENTIALS,
    "registry-map": "set REGISTRY_MAP",
    "registry-mirror": "set REGISTRY_MIRRORS",
    "secret": _CREDENTIALS,
    "skip-default-registry-fallback": "set SKIP_DEFAULT_REGISTRY_FALLBACK",
    "skip-tls-verify": _REGISTRY,
    "skip-tls-verify-pull": _REGISTRY,
    "skip-tls-verify-registry": "set SKIP_TLS_VERIFY_REGISTRIES",
    "tar-path": _DESTINATION,
    "target": "set TARGET",
}
"""Why a flag is refused, and what to do instead."""


def ignores_immutable_tags(extra_args: tuple[ExtraArg, ...]) -> bool:
    """Whether a tag that exists and can't be overwritten is no failure."""
    return any(extra.name == _IGNORE_IMMUTABLE and extra.value == "true" for extra in extra_args)


def parse_extra_args(text: str) -> tuple[ExtraArg, ...]:
    """Read flags as a shell would, `--flag=value` each; a switch alone is `true`.

    Raises:
        ValueError: says which flag is wrong and why.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"a quote is open ({error})") from error
    arguments = list[ExtraArg]()
    for word in words:
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not name:
            raise ValueError(f"{word!r}: write --flag=value")
        flag = ALLOWED.get(name)
        if flag is None:
            reason = REFUSED.get(name, "it is none of " + ", ".join(f"--{each}" for each in ALLOWED))
            raise ValueError(f"--{name} is not allowed: {reason}")
        if not equals and flag.accepts("true"):
            value = "true"
        if not flag.accepts(value):
            raise ValueError(f"--{name}: write {flag.form}")
        if not flag.several and any(each.name == name for each in arguments):
            raise ValueError(f"--{name} is given twice")
        arguments.append(ExtraArg(name, value))
    return tuple(arguments)


def several(name: str) -> bool:
    """Whether a flag adds to those before it, in place of replacing them."""
    return ALLOWED[name].several
