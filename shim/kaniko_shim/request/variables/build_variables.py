"""Variables of the build: Dockerfile, build arguments, target, platform, labels and executor flags."""

from kaniko_shim.registry.allowed_images import parse_allowed
from kaniko_shim.request.build_args import parse_build_args, parse_origins, parse_secret_origins
from kaniko_shim.request.build_secrets import FROM, PREFIX, parse_secret_value, parse_secret_variables
from kaniko_shim.request.extra_args import parse_extra_args
from kaniko_shim.request.isolation import parse_isolation
from kaniko_shim.request.labels import parse_labels
from kaniko_shim.request.platforms import parse_platform
from kaniko_shim.request.scalars import parse_raw, parse_switch, parse_text
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.system.subcommand import Command

COMMIT = "commit"
"""The value of IMAGE_TIMESTAMP for the time of the Git commit."""

_LATEST = 253402300799


def _parse_network(text: str) -> bool:
    """Whether RUN has none."""
    if text.strip().lower() not in {"none", "default"}:
        raise ValueError("write none or default")
    return text.strip().lower() == "none"


def _parse_timestamp(text: str) -> int | str | None:
    text = text.strip()
    if not text or text.lower() == COMMIT:
        return text.lower() or None
    if not text.isascii() or not text.isdecimal() or int(text) > _LATEST:
        raise ValueError("write commit, or seconds since 1970")
    return int(text)


DOCKERFILE_PATH = Variable(
    "DOCKERFILE_PATH",
    "Path of the Dockerfile, relative to the build context (to CONTEXT_SUB_PATH, if set). It may lie in a parent "
    "directory of CONTEXT_SUB_PATH, but not outside the fetched tree.",
    parse_text,
    default="Dockerfile",
)
DOCKERFILE_CONTENT = Variable(
    "DOCKERFILE_CONTENT",
    "Text of the Dockerfile, instead of DOCKERFILE_PATH.",
    parse_raw,
)
BUILD_ARG = Variable(
    "BUILD_ARG",
    "Build arguments: a comma-separated list of base64-encoded `name=value` pairs. A value may be empty and may hold "
    "commas, `=`, blanks, line breaks and any UTF-8.",
    parse_build_args,
    shown=False,
)
BUILD_ARG_FROM = Variable(
    "BUILD_ARG_FROM",
    "Secret build arguments: a comma-separated list of `ARGUMENT=ENVIRONMENT_VARIABLE` pairs. The values are read "
    "from the named variables, do not appear on the executor's command line, and are masked in the log and the "
    "result.",
    parse_secret_origins,
)
BUILD_ARG_FROM_CONFIG = Variable(
    "BUILD_ARG_FROM_CONFIG",
    "Build arguments from environment variables that are not secret, such as values of a ConfigMap, in the form of "
    "BUILD_ARG_FROM. They are not masked.",
    parse_origins,
)
BUILD_SECRET = Variable(
    f"{PREFIX}<id>",
    "Value of the build secret `<id>`, in base64, for `RUN --mount=type=secret,id=<id>`: any bytes. One variable for "
    "each secret. A secret can also be a file `/kaniko/.build-secrets/<id>`. See [build "
    "secrets](builder-image.md#build-secrets).",
    parse_secret_value,
    secret=True,
)
BUILD_SECRET_FROM = Variable(
    FROM,
    "Build secrets whose values are in other environment variables, as they are: a comma-separated list of "
    "`ID=ENVIRONMENT_VARIABLE` pairs.",
    parse_secret_variables,
)
RUN_PROXY = Variable(
    "RUN_PROXY",
    "If `true`, RUN steps also get HTTP_PROXY, HTTPS_PROXY and NO_PROXY (in upper or lower case) from the environment, "
    "like Docker's predefined build arguments: without an ARG, and recorded neither in the image nor in its history. A "
    "build argument of the same name takes precedence.",
    parse_switch,
    default="false",
)
TARGET = Variable("TARGET", "Stage to build, by name or number.", parse_text, default_note="the last stage")
PLATFORM = Variable(
    "PLATFORM",
    "Platform of the image, `os/arch[/variant]`. Base images are pulled for this platform, and the image is marked "
    "with it; RUN still executes on this machine's processor.",
    parse_platform,
    default_note="this machine's platform",
)
LABELS = Variable(
    "LABELS",
    "Labels of the image: comma-separated `name=value` pairs, or a JSON object of strings if a value holds a comma. A "
    "label takes precedence over a LABEL of the same name in the Dockerfile.",
    parse_labels,
)
REQUIRED_ISOLATION = Variable(
    "REQUIRED_ISOLATION",
    "What must separate a RUN from the rest, for BuildKit: `users` (the container is in a user namespace of its own), "
    "`processes` (each RUN gets process IDs of its own), or both, comma-separated. A container that lacks one builds "
    "nothing.",
    parse_isolation,
)
EXTRA_ARGS = Variable(
    "EXTRA_ARGS",
    "Additional flags for the executor, `--flag=value` each, quoted as for a shell. [Only some flags are "
    "allowed](builder-image.md#executor-flags); `push` and `index` read only `--push-ignore-immutable-tag-errors`.",
    parse_extra_args,
    commands=(Command.ALL, Command.BUILD, Command.PUSH, Command.INDEX),
)

RUN_NETWORK = Variable(
    "RUN_NETWORK",
    "`none` for RUN steps without network; `default` for that of the container. Only with BuildKit.",
    _parse_network,
    default="default",
)
IMAGE_TIMESTAMP = Variable(
    "IMAGE_TIMESTAMP",
    "Time of all files and of the history that the build adds, so that the same inputs give the same digest: `commit` "
    "for that of the Git commit, or seconds since 1970. Only with BuildKit.",
    _parse_timestamp,
)
ALLOWED_BASE_IMAGES = Variable(
    "ALLOWED_BASE_IMAGES",
    "Images that FROM and `--from` may name, comma-separated: `host[:port][/path]` stands for all images below it, "
    "`host/path/image` for all its tags, `host/path/image:tag` for one; `scratch` for none. Docker Hub is "
    "`docker.io`.",
    parse_allowed,
    default_note="all images",
)
SKIP_IF_UNCHANGED = Variable(
    "SKIP_IF_UNCHANGED",
    "If `true`, nothing is built if an OUTPUT_IMAGE was made from the same inputs: the files of the context, the "
    "Dockerfile, its arguments, labels, target and platform, and the same base images. Only with BuildKit.",
    parse_switch,
    default="false",
)

BUILD_TABLE: tuple[Variable[object], ...] = (
    RUN_NETWORK,
    IMAGE_TIMESTAMP,
    ALLOWED_BASE_IMAGES,
    SKIP_IF_UNCHANGED,
    DOCKERFILE_PATH,
    DOCKERFILE_CONTENT,
    BUILD_ARG,
    BUILD_ARG_FROM,
    BUILD_ARG_FROM_CONFIG,
    BUILD_SECRET,
    BUILD_SECRET_FROM,
    RUN_PROXY,
    TARGET,
    PLATFORM,
    LABELS,
    REQUIRED_ISOLATION,
    EXTRA_ARGS,
)
