"""The variables of a build: its Dockerfile, arguments, target, platform, labels and executor flags."""

from kaniko_shim.request.build_args import parse_build_args, parse_origins, parse_secret_origins
from kaniko_shim.request.extra_args import parse_extra_args
from kaniko_shim.request.labels import parse_labels
from kaniko_shim.request.platforms import parse_platform
from kaniko_shim.request.scalars import parse_raw, parse_text
from kaniko_shim.request.variable import Variable

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

BUILD_TABLE: tuple[Variable[object], ...] = (
    DOCKERFILE_PATH,
    DOCKERFILE_CONTENT,
    BUILD_ARG,
    BUILD_ARG_FROM,
    BUILD_ARG_FROM_CONFIG,
    TARGET,
    PLATFORM,
    LABELS,
    EXTRA_ARGS,
)
