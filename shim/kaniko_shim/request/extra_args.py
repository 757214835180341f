"""The table of executor flags that EXTRA_ARGS may set, and of those that it may not."""

import posixpath
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

_SWITCH = re.compile(r"true|false")
_NUMBER = re.compile(r"[0-9]{1,3}")
_LARGEST_RETRY = 20
_HIGHEST_LEVEL = 22
# Directories of the builder, and of what every program needs.
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
        accepts: whether a value is valid.
        form: what to write, for the message and the documentation.
        reason: meaning of the flag, for the documentation.
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
    "annotation": _Flag(lambda value: "=" in value, "name=value", "Annotation of the image's manifest.", several=True),
    "cache-copy-layers": _switch(
        "If `true`, COPY layers are cached too. The default with the maintained line, which then skips "
        "whole stages that have not changed; `false` saves uploads to the cache."
    ),
    "cache-run-layers": _switch("If `false`, RUN layers are not cached."),
    "compressed-caching": _switch("If `true`, caching a layer is faster, but takes its size in memory."),
    "compression": _Flag(_one_of("gzip", "zstd"), "gzip or zstd", "Compression of layers."),
    "compression-level": _Flag(
        _is_level, f"a number from -1 to {_HIGHEST_LEVEL}", "Level of compression: higher is smaller, lower is faster."
    ),
    "ignore-path": _Flag(
        _may_be_ignored,
        "an absolute path without .. or patterns, outside of /kaniko and the system's programs",
        "Excludes a path from snapshots. It is not unpacked from base images either.",
        several=True,
    ),
    "ignore-var-run": _switch(
        "If `false`, `/var/run` becomes part of the image. The shim's choice, unless something is mounted there."
    ),
    "image-download-retry": _retries("Number of retries for pulling a base image."),
    "image-format": _Flag(_one_of("docker", "oci"), "docker or oci", "Media types of the image."),
    "image-fs-extract-retry": _retries("Number of retries for unpacking a base image."),
    _IGNORE_IMMUTABLE: _switch(
        "If `true`, a tag that exists and cannot be changed is not a failure; a warning says which image it keeps."
    ),
    "push-retry": _retries("Number of retries for a push."),
    "reproducible": _switch("If `true`, the image has no timestamps. Takes memory, because all layers are rewritten."),
    "single-snapshot": _switch("If `true`, all instructions make one layer, and nothing is cached."),
    "skip-push-permission-check": _switch(
        "If `true`, the registry is not asked before the build whether it accepts the image."
    ),
    "snapshot-mode": _Flag(
        _one_of("full", "redo", "time"),
        "full, redo or time",
        "How changed files are found. `full` (the shim's choice) reads every file; `redo` compares times, sizes, modes "
        "and owners, which is faster, but misses new content of the same size and time, as `mv` and `cp -p` leave it; "
        "`time` misses more.",
    ),
    "use-new-run": _switch("If `true`, changed files are found in another way, which may miss some."),
    "verbosity": _Flag(
        _one_of("panic", "fatal", "error", "warn", "info", "debug", "trace"),
        "error, warn, info, debug or trace",
        "How much the executor logs. The shim follows a build by these lines: below `info` it cannot name the "
        "instruction that fails.",
    ),
}
"""Flags by name."""

_DESTINATION = "it decides where the image goes; set OUTPUT_IMAGE, NO_PUSH or OUTPUT_LAYOUT"
_DIGEST = "RUN steps can forge the file that it writes; the digest is in the result"
_REGISTRY = "it would apply to every registry; list them in INSECURE_REGISTRIES or SKIP_TLS_VERIFY_REGISTRIES"
_CONTEXT = "the shim fetches the context itself; set SOURCE_GET_URL and CONTEXT_SUB_PATH"
_PLACES = "the builder would not find, or would delete, its own files"
_LOG = "the shim parses the executor's log"
_CREDENTIALS = "it is about credentials, which belong in variables that are masked"

REFUSED: dict[str, str] = {
    "build-arg": "its value would be visible; set BUILD_ARG or BUILD_ARG_FROM",
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
    "force": "the shim makes the executor recognise its container",
    "force-build-metadata": "the cache keys would change",
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
    "registry-certificate": "set REGISTRY_CA, or mount the CA certificate into /kaniko/ssl/certs",
    "registry-client-cert": _CREDENTIALS,
    "registry-map": "set REGISTRY_MAP",
    "registry-mirror": "set REGISTRY_MIRRORS",
    "secret": _CREDENTIALS,
    "skip-default-registry-fallback": "set SKIP_DEFAULT_REGISTRY_FALLBACK",
    "skip-tls-verify": _REGISTRY,
    "skip-tls-verify-pull": _REGISTRY,
    "skip-tls-verify-registry": "set SKIP_TLS_VERIFY_REGISTRIES",
    "tar-path": _DESTINATION,
    "skip-unused-stages": "stages that the target does not need are never built",
    "target": "set TARGET",
}
"""Why a flag is refused, or what to set instead."""


def ignores_immutable_tags(extra_args: tuple[ExtraArg, ...]) -> bool:
    """Whether a tag that exists and cannot be overwritten is not a failure."""
    return any(extra.name == _IGNORE_IMMUTABLE and extra.value == "true" for extra in extra_args)


def parse_extra_args(text: str) -> tuple[ExtraArg, ...]:
    """Read flags as a shell does, `--flag=value` each; a boolean flag without a value is `true`.

    Raises:
        ValueError: says which flag is wrong and why.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"a quote is not closed ({error})") from error
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
            raise ValueError(f"--{name} appears twice")
        arguments.append(ExtraArg(name, value))
    return tuple(arguments)


def several(name: str) -> bool:
    """Whether a flag may be given more than once; otherwise a later value replaces the earlier one."""
    return ALLOWED[name].several
