"""Variables of `watch`: which remotes it looks at."""

import re
from dataclasses import dataclass

from kaniko_shim.request.scalars import parse_raw
from kaniko_shim.request.variables.variable import Variable
from kaniko_shim.system.json_text import load_json
from kaniko_shim.system.subcommand import Command

SHORTEST_INTERVAL = 10
"""Seconds between two looks at the same remote at least."""

LONGEST_INTERVAL = 7 * 24 * 3600

_RECEIVER = re.compile(r"http://[^/\s:]+:\d+")


@dataclass(frozen=True, slots=True)
class Watching:
    """What is watched for one reader of the log.

    Attributes:
        name: its name there.
        source: seconds between two looks at the branch or tag of the build context; None: it is not watched.
        paths: patterns of what counts in it; empty for all.
        images: the base images.
        image_seconds: seconds between two looks at each.
    """

    name: str
    source: int | None
    paths: tuple[str, ...]
    images: tuple[str, ...]
    image_seconds: int


def _parse_watching(text: str) -> tuple[Watching, ...]:
    document = load_json(text)
    if not isinstance(document, list) or not all(isinstance(each, dict) for each in document):
        raise ValueError("write a JSON list of objects")
    return tuple(_parse_one(each) for each in document)


def _parse_one(entry: dict[str, object]) -> Watching:
    name, images, paths = entry.get("name"), entry.get("images", []), entry.get("paths", [])
    if not isinstance(name, str) or not name:
        raise ValueError("each object needs a name")
    if not isinstance(images, list) or not all(isinstance(each, str) for each in images):
        raise ValueError(f"{name}: images is a list of names")
    if not isinstance(paths, list) or not all(isinstance(each, str) for each in paths):
        raise ValueError(f"{name}: paths is a list of patterns")
    source = entry.get("sourceSeconds")
    return Watching(
        name,
        None if source is None else _seconds(name, source),
        tuple(paths),
        tuple(images),
        _seconds(name, entry.get("imageSeconds", LONGEST_INTERVAL)),
    )


def _seconds(name: str, value: object) -> int:
    if not isinstance(value, int) or not SHORTEST_INTERVAL <= value <= LONGEST_INTERVAL:
        raise ValueError(f"{name}: an interval has {SHORTEST_INTERVAL} to {LONGEST_INTERVAL} seconds")
    return value


def _parse_receiver(text: str) -> str:
    if text and not _RECEIVER.fullmatch(text):
        raise ValueError("write http://HOST:PORT")
    return text


WATCH = Variable(
    "WATCH",
    'What `watch` looks at: a JSON list of `{"name": …, "sourceSeconds": 300, "paths": […], "images": […], '
    '"imageSeconds": 3600}`. '
    "The build context and the credentials of the first are in variables that begin with `W0_`, such as "
    "`W0_SOURCE_GET_URL` and `W0_DOCKER_CONFIG_JSON`; those of the second with `W1_`, and so on.",
    _parse_watching,
    default="[]",
    commands=(Command.WATCH,),
)

WEBHOOK_URL = Variable(
    "WEBHOOK_URL",
    "`http://HOST:PORT` of `kaniko-shim webhook`: `watch` looks at once at what a webhook names.",
    _parse_receiver,
    commands=(Command.WATCH,),
)
WEBHOOK_SECRET = Variable(
    "WEBHOOK_SECRET",
    "Secret that Git servers and registries sign their webhooks with, or send ([webhooks]"
    "(../how-to/tracked-images.md#build-at-once-after-a-push)).",
    parse_raw,
    commands=(Command.WEBHOOK,),
    secret=True,
)
WATCH_TABLE: tuple[Variable[object], ...] = (WATCH, WEBHOOK_URL, WEBHOOK_SECRET)
