"""Variables of the image: where it is pushed, and where its OCI layout lies."""

from kaniko_shim.registry.references import ImageReference, parse_output
from kaniko_shim.request.platforms import parse_members
from kaniko_shim.request.scalars import parse_absolute, parse_switch, split_list
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.system.subcommand import PUSH_COMMANDS, Command


def _parse_outputs(text: str) -> tuple[ImageReference, ...]:
    outputs = list[ImageReference]()
    for item in split_list(text, ","):
        try:
            output = parse_output(item)
        except ValueError as error:
            raise ValueError(f"{item!r}: {error}") from error
        if output in outputs:
            raise ValueError(f"{item!r} appears twice")
        outputs.append(output)
    return tuple(outputs)


OUTPUT_IMAGE = Variable(
    "OUTPUT_IMAGE",
    "Image to push, `[host[:port]/]path[:tag]`, or a comma-separated list of images. Required unless NO_PUSH is "
    "`true`. `build` does not push; it derives the cache repository from this.",
    _parse_outputs,
    commands=PUSH_COMMANDS,
)
NO_PUSH = Variable(
    "NO_PUSH",
    "If `true`, the image is built (and written to OUTPUT_LAYOUT, or checked there) but not pushed.",
    parse_switch,
    default="false",
    commands=PUSH_COMMANDS,
)
PUSH_BY_DIGEST = Variable(
    "PUSH_BY_DIGEST",
    "If `true`, the image is pushed by digest to the repository of each OUTPUT_IMAGE, and no tag is written.",
    parse_switch,
    default="false",
    commands=(Command.PUSH,),
)
INDEX_MANIFESTS = Variable(
    "INDEX_MANIFESTS",
    "Images of a multi-platform index: a comma-separated list of `os/arch[/variant]=sha256:…`. Each digest must "
    "already be in the repository of every OUTPUT_IMAGE.",
    parse_members,
    commands=(Command.INDEX,),
)
OUTPUT_LAYOUT = Variable(
    "OUTPUT_LAYOUT",
    "Directory of the OCI image layout that `build` writes and `push` reads. Without a sub-command, a layout is "
    "written only if this is set.",
    parse_absolute,
    default_note="`/kaniko/layout` for `build` and `push`",
    commands=(Command.ALL, Command.BUILD, Command.PUSH),
)

ONLY_NEW_LAYERS = Variable(
    "ONLY_NEW_LAYERS",
    "If `true`, BuildKit leaves layers out of OUTPUT_LAYOUT that the repository of each OUTPUT_IMAGE has already, and "
    "does not download them. For a layout that only `push` reads, without SBOM.",
    parse_switch,
    default="false",
    commands=(Command.BUILD,),
)

OUTPUT_TABLE: tuple[Variable[object], ...] = (
    OUTPUT_IMAGE,
    NO_PUSH,
    PUSH_BY_DIGEST,
    INDEX_MANIFESTS,
    OUTPUT_LAYOUT,
    ONLY_NEW_LAYERS,
)
