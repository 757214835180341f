"""EXPOSE with one entry per port."""

import re
from collections.abc import Iterable, Iterator

from kaniko_shim.dockerfile.edits import Edit, replaced
from kaniko_shim.dockerfile.syntax.stages import Stage

_RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})(/\w+)?")
_MOST_PORTS = 1000


def rewrite_ports(stages: Iterable[Stage]) -> Iterator[Edit]:
    """EXPOSE with one entry per port, because an old executor does not understand ranges."""
    for stage in stages:
        for instruction in stage.instructions:
            if instruction.keyword == "EXPOSE" and _RANGE.search(instruction.rest):
                ports = " ".join(port for word in instruction.rest.split() for port in _each_port(word))
                yield replaced(instruction, f"EXPOSE {ports}")


def _each_port(word: str) -> Iterator[str]:
    match = _RANGE.fullmatch(word)
    if match is None or int(match[2]) - int(match[1]) > _MOST_PORTS:
        yield word
        return
    for port in range(int(match[1]), int(match[2]) + 1):
        yield f"{port}{match[3] or ''}"
