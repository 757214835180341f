"""Variables of the layer cache."""

from enum import StrEnum

from kaniko_shim.registry.cache_repo import parse_cache_repo
from kaniko_shim.request.scalars import parse_seconds, parse_switch
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.system.subcommand import Command

_CACHING = (Command.ALL, Command.BUILD, Command.PUSH)


class CacheMode(StrEnum):
    """The values of CACHE."""

    AUTO = "auto"
    ON = "true"
    OFF = "false"


def _parse_cache_mode(text: str) -> CacheMode:
    if text.strip().lower() == "auto":
        return CacheMode.AUTO
    try:
        return CacheMode.ON if parse_switch(text) else CacheMode.OFF
    except ValueError as error:
        raise ValueError("write auto, true or false") from error


CACHE = Variable(
    "CACHE",
    "Whether layers are cached in a repository: `true`, `false`, or `auto` (if CACHE_REPO is set).",
    _parse_cache_mode,
    default="auto",
    commands=_CACHING,
)
CACHE_REPO = Variable(
    "CACHE_REPO",
    "Repository for cached layers, `host[:port]/path` without a tag. `oci:/path/name` keeps them in OCI layouts next "
    "to `/path/name`; make `/path` a volume. If CACHE is `true` and this is unset, the repository is the first "
    "OUTPUT_IMAGE with `/cache` appended (on Docker Hub, which has no nested repositories, `-cache`). BuildKit only "
    "reads from it; `push` writes what is next to the image in OUTPUT_LAYOUT.",
    parse_cache_repo,
    commands=_CACHING,
)
CACHE_TTL = Variable(
    "CACHE_TTL",
    "Maximum age of a cached layer: `336h`, `90m`, or a number of seconds.",
    parse_seconds,
    default_note="the executor's (two weeks)",
)
CACHE_READ_ONLY = Variable(
    "CACHE_READ_ONLY",
    "If `true`, cached layers are used, but none are added.",
    parse_switch,
    default="false",
    commands=_CACHING,
)

CACHE_TABLE: tuple[Variable[object], ...] = (
    CACHE,
    CACHE_REPO,
    CACHE_TTL,
    CACHE_READ_ONLY,
)
