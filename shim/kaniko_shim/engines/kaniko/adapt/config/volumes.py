"""VOLUME: moved to the end of the image's stage, since executors lose what later instructions write below one."""

import json
from collections.abc import Sequence

from kaniko_shim.dockerfile.words import json_words, plain_words
from kaniko_shim.engines.kaniko.adapt.config.literals import literal
from kaniko_shim.engines.kaniko.adapt.config.variables import Place


def volumes_of(place: Place) -> list[str] | None:
    """The paths that a VOLUME names; None if it is malformed, or a variable's value is not known."""
    rest = place.instruction.rest
    words = json_words(rest)
    paths = [place.expanded(word) for word in (plain_words(rest) if words is None else words)]
    known = [path for path in paths if path and path.strip()]
    return known if known and len(known) == len(paths) else None


def volume_text(paths: Sequence[str]) -> str:
    """A VOLUME of paths whose variables have been expanded."""
    return f"VOLUME {json.dumps([literal(path) for path in dict.fromkeys(paths)], ensure_ascii=False)}"
