"""THE table of variables: what each is called, means, defaults to and is read by."""

from enum import StrEnum

from kaniko_shim.log.format import parse_log_format
from kaniko_shim.net.ca_bundle import parse_authorities
from kaniko_shim.registry.cache_repo import parse_cache_repo
from kaniko_shim.registry.docker_config import parse_docker_config
from kaniko_shim.registry.references import ImageReference, parse_output
from kaniko_shim.request.attestation_variables import ATTEST_TABLE
from kaniko_shim.request.build_args import parse_build_args, parse_origins, parse_secret_origins
from kaniko_shim.request.extra_args import parse_extra_args
from kaniko_shim.request.labels import parse_labels
from kaniko_shim.request.platforms import parse_members, parse_platform
from kaniko_shim.request.registry_lists import parse_maps, parse_mirrors, parse_registries
from kaniko_shim.request.scalars import (
    parse_count,
    parse_raw,
    parse_seconds,
    parse_sha256,
    parse_switch,
    parse_text,
    split_list,
)
from kaniko_shim.request.source_variables import SOURCE_TABLE
from kaniko_shim.request.traceparent import parse_trace_id
from kaniko_shim.request.variable import Command, Variable
from kaniko_shim.sources.kinds import parse_source


class CacheMode(StrEnum):
    """The values of CACHE."""

    AUTO = "auto"
    ON = "true"
    OFF = "false"


_EVERY = tuple(Command)


def _parse_outputs(text: str) -> tuple[ImageReference, ...]:
    outputs = list[ImageReference]()
    for item in split_list(text, ","):
        try:
            output = parse_output(item)
        except ValueError as error:
            raise ValueError(f"{item!r}: {error}") from error
        if output in outputs:
            raise ValueError(f"{item!r} is named twice")
        outputs.append(output)
    return tuple(outputs)


def _parse_cache_mode(text: str) -> CacheMode:
    if text.strip().lower() == "auto":
        return CacheMode.AUTO
    try:
        return CacheMode.ON if parse_switch(text) else CacheMode.OFF
    except ValueError as error:
        raise ValueError("write auto, true or false") from error


def _parse_absolute(text: str) -> str:
    text = parse_text(text)
    if text and not text.startswith("/"):
        raise ValueError("write an absolute path")
    return text


DOCKERFILE_PATH = Variable(
    "DOCKERFILE_PATH",
    "The Dockerfile, relative to the context (to CONTEXT_SUB_PATH in it, if set). It may lie in a parent of "
    "CONTEXT_SUB_PATH, never outside of the context.",
    parse_text,
    default="Dockerfile",
)
DOCKERFILE_CONTENT = Variable(
    "DOCKERFILE_CONTENT",
    "The Dockerfile's text itself, in place of DOCKERFILE_PATH.",
    parse_raw,
)
BUILD_ARG = Variable(
    "BUILD_ARG",
    "Build arguments: `,`-joined, each the base64 of `name=value`. The value may be empty and hold commas, `=`, "
    "blanks, line ends and any UTF-8.",
    parse_build_args,
    shown=False,
)
BUILD_ARG_FROM = Variable(
    "BUILD_ARG_FROM",
    "Build arguments whose values are secrets: `,`-joined `ARGUMENT=ENVIRONMENT_VARIABLE`. The values are read from "
    "the variables named, reach the executor outside of its command line, and are masked in the log and the result.",
    parse_secret_origins,
)
BUILD_ARG_FROM_CONFIG = Variable(
    "BUILD_ARG_FROM_CONFIG",
    "The same for values that are no secrets, such as those of a ConfigMap: they are not masked.",
    parse_origins,
)
TARGET = Variable("TARGET", "The stage to build.", parse_text, default_note="the last stage")
PLATFORM = Variable(
    "PLATFORM",
    "The platform of the image, `os/arch[/variant]`: base images are taken for it, and the image is marked with it. "
    "RUN still runs on this machine's processor.",
    parse_platform,
    default_note="this machine's",
)
LABELS = Variable(
    "LABELS",
    "Labels of the image: `,`-joined `name=value`, or a JSON object of texts for values that hold commas. A LABEL of "
    "the same name in the Dockerfile wins.",
    parse_labels,
)
EXTRA_ARGS = Variable(
    "EXTRA_ARGS",
    "Further flags for the executor, `--flag=value` each, quoted as for a shell. "
    "[Few are allowed](builder-image.md#flags-of-the-executor).",
    parse_extra_args,
)
OUTPUT_IMAGE = Variable(
    "OUTPUT_IMAGE",
    "The image to push, `[host[:port]/]path[:tag]`; several are `,`-joined. Required, unless NO_PUSH is `true`. "
    "`build` pushes nothing and infers the cache's repository from it.",
    _parse_outputs,
    commands=_EVERY,
)
PUSH_BY_DIGEST = Variable(
    "PUSH_BY_DIGEST",
    "`true`: the image is pushed to each OUTPUT_IMAGE's repository by its digest, and no tag is written.",
    parse_switch,
    default="false",
    commands=(Command.PUSH,),
)
INDEX_MANIFESTS = Variable(
    "INDEX_MANIFESTS",
    "The images of an index: `,`-joined `os/arch[/variant]=sha256:…`, each the digest of an image that lies in the "
    "repository of every OUTPUT_IMAGE already.",
    parse_members,
    commands=(Command.INDEX,),
)
NO_PUSH = Variable(
    "NO_PUSH",
    "`true`: the image is built (and written to OUTPUT_LAYOUT, or checked there), but not pushed.",
    parse_switch,
    default="false",
    commands=_EVERY,
)
OUTPUT_LAYOUT = Variable(
    "OUTPUT_LAYOUT",
    "The directory of the OCI image layout that `build` writes and `push` reads. Without a sub-command, a layout is "
    "written only if this is set.",
    _parse_absolute,
    default_note="`/kaniko/layout` for `build` and `push`",
    commands=(Command.ALL, Command.BUILD, Command.PUSH),
)
CACHE = Variable(
    "CACHE",
    "Whether layers are cached in a repository: `auto` (if CACHE_REPO is set), `true` or `false`.",
    _parse_cache_mode,
    default="auto",
)
CACHE_REPO = Variable(
    "CACHE_REPO",
    "The repository of cached layers, `host[:port]/path` without a tag. `oci:/path/name` keeps them in OCI layouts "
    "beside `/path/name`: let `/path` be a volume. With CACHE=`true` and no CACHE_REPO it is the first OUTPUT_IMAGE "
    "with `/cache` behind it (on Docker Hub, which has no nested names: with `-cache`).",
    parse_cache_repo,
)
CACHE_TTL = Variable(
    "CACHE_TTL",
    "The age up to which a cached layer is used: `336h`, `90m`, or a number of seconds.",
    parse_seconds,
    default_note="the executor's (two weeks)",
)
CACHE_READ_ONLY = Variable(
    "CACHE_READ_ONLY",
    "`true`: cached layers are used, and none is added.",
    parse_switch,
    default="false",
)
SOURCE_GET_URL = Variable(
    "SOURCE_GET_URL",
    "The build context. `dir:///path` is a directory (it is copied), `file:///path` an archive; `http(s)://…` an "
    "archive; `data:…;base64,…` an archive in the URL itself; `git+https://…`, `git+http://…`, `git://…`, "
    "`https://….git`, `ssh://…`, `git+ssh://…` and `user@host:path` a Git repository, `#ref:directory` behind it, "
    "`ref` a branch, tag or full commit. Archives are tar, tar.gz, tar.xz, tar.bz2, tar.zst or zip, recognised by "
    "their content. `oci://registry/repository:tag` (or `@sha256:…`) is an artifact or image whose layers are the "
    "context. `s3://bucket/key`, `gs://bucket/object` and `https://ACCOUNT.blob.core.windows.net/container/blob` are "
    "archives in a bucket.",
    parse_source,
    default="file:///tmp/context.tar.gz",
    shown=False,
)
SOURCE_SHA256 = Variable(
    "SOURCE_SHA256",
    "The SHA-256 that the fetched archive must have.",
    parse_sha256,
)
CONTEXT_SUB_PATH = Variable(
    "CONTEXT_SUB_PATH",
    "The directory of the fetched tree that is the context.",
    parse_text,
    default_note="all of it",
)
DOCKER_CONFIG_JSON = Variable(
    "DOCKER_CONFIG_JSON",
    "Registry credentials: a Docker `config.json`, as JSON or as the base64 of it. DOCKER_CONFIG_JSON_1, "
    "DOCKER_CONFIG_JSON_2, … hold further ones; for a registry in several, the first wins. Without any, the file "
    "`config.json` in the directory DOCKER_CONFIG (in the image: `/kaniko/.docker`) is used if it is there.",
    parse_docker_config,
    commands=_EVERY,
    secret=True,
)
INSECURE_REGISTRIES = Variable(
    "INSECURE_REGISTRIES",
    "Registries that speak plain HTTP, `host[:port]`, `;`-joined (`,` is accepted too).",
    parse_registries,
    commands=_EVERY,
)
SKIP_TLS_VERIFY_REGISTRIES = Variable(
    "SKIP_TLS_VERIFY_REGISTRIES",
    "Registries whose certificate is not verified, `host[:port]`, `;`-joined (`,` is accepted too).",
    parse_registries,
    commands=_EVERY,
)
REGISTRY_CA = Variable(
    "REGISTRY_CA",
    "Certificates of authorities (PEM) that are trusted beside the usual ones, for registries and for the context's "
    "server: the way to a registry with a private authority that is still verified. REGISTRY_CA_1, REGISTRY_CA_2, … "
    "hold further ones.",
    parse_authorities,
    commands=_EVERY,
    shown=False,
)
REGISTRY_MIRRORS = Variable(
    "REGISTRY_MIRRORS",
    "Mirrors of Docker Hub, tried in order, `host[:port][/path]`, `,`-joined.",
    parse_mirrors,
)
REGISTRY_MAP = Variable(
    "REGISTRY_MAP",
    "Mirrors of other registries: `,`-joined `host=mirror/path`. A host may stand there several times: its mirrors "
    "are tried in order.",
    parse_maps,
)
SKIP_DEFAULT_REGISTRY_FALLBACK = Variable(
    "SKIP_DEFAULT_REGISTRY_FALLBACK",
    "`true`: an image that no mirror or map has is an error, and its own registry is not asked.",
    parse_switch,
    default="false",
)
HEARTBEAT_SECONDS = Variable(
    "HEARTBEAT_SECONDS",
    "After how many seconds of silence a line says what the job is doing, and since when.",
    parse_count,
    default="30",
    commands=_EVERY,
)
LOG_FORMAT = Variable(
    "LOG_FORMAT",
    "How the log is written: `text`, or `json`, an object a line with `time`, `phase`, `stream` (`shim`, `executor` or "
    "`crane`) and `message`.",
    parse_log_format,
    default="text",
    commands=_EVERY,
)
TRACEPARENT = Variable(
    "TRACEPARENT",
    "The trace that the job is a part of, as [W3C Trace Context](https://www.w3.org/TR/trace-context/) has it. Its id "
    "is written to the log, and goes nowhere else; a malformed one is ignored.",
    parse_trace_id,
    commands=_EVERY,
)
RESULT_FILE = Variable(
    "RESULT_FILE",
    "A file that the result is written to, one JSON object, beside the container's termination message.",
    _parse_absolute,
    default_note="none",
    commands=_EVERY,
)

TABLE: tuple[Variable[object], ...] = (
    DOCKERFILE_PATH,
    BUILD_ARG,
    OUTPUT_IMAGE,
    CACHE_REPO,
    SOURCE_GET_URL,
    DOCKER_CONFIG_JSON,
    INSECURE_REGISTRIES,
    SKIP_TLS_VERIFY_REGISTRIES,
    REGISTRY_MIRRORS,
    REGISTRY_MAP,
    SKIP_DEFAULT_REGISTRY_FALLBACK,
    REGISTRY_CA,
    DOCKERFILE_CONTENT,
    BUILD_ARG_FROM,
    BUILD_ARG_FROM_CONFIG,
    TARGET,
    CONTEXT_SUB_PATH,
    SOURCE_SHA256,
    *SOURCE_TABLE,
    CACHE,
    CACHE_TTL,
    CACHE_READ_ONLY,
    PLATFORM,
    LABELS,
    EXTRA_ARGS,
    NO_PUSH,
    PUSH_BY_DIGEST,
    INDEX_MANIFESTS,
    *ATTEST_TABLE,
    OUTPUT_LAYOUT,
    HEARTBEAT_SECONDS,
    LOG_FORMAT,
    TRACEPARENT,
    RESULT_FILE,
)
