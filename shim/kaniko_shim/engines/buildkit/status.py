"""What buildctl says of a build: `--progress=rawjson`, an object a line, among lines of text. Pure.

The objects are those of github.com/moby/buildkit/client/graph.go.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LARGEST = 16 * 1024 * 1024
"""Characters of an object, which arrives in parts if it is a long line."""

_PLACE = re.compile(
    r"\[(?:\w+/\S+ )?(?:(?P<stage>\S+) )?\s*(?P<number>\d{1,6})/(?P<of>\d{1,6})\] (?P<text>.*)", re.DOTALL
)
# A Dockerfile can give no other vertex such a name: those of its instructions begin with a keyword.
_BASE = re.compile(r"\[[^\[\]]*\] FROM (?P<name>\S+)@(?P<digest>sha256:[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a vertex is in the Dockerfile.

    Attributes:
        stage: the name of its stage; `stage-N` if it has none, and empty in a Dockerfile of one stage.
        number: its number in the stage, from 1.
        of: the number of those in the stage.
        text: the instruction, its variables expanded.
    """

    stage: str
    number: int
    of: int
    text: str


@dataclass(frozen=True, slots=True)
class Vertex:
    """A node of the graph that is built, as it is now.

    Attributes:
        digest: its id.
        name: for people.
        started: whether it has started.
        completed: whether it has ended.
        cached: whether its result was there before.
        error: why it failed.
    """

    digest: str
    name: str
    started: bool
    completed: bool
    cached: bool
    error: str

    @property
    def place(self) -> Place | None:
        """Where it is in the Dockerfile; None for what BuildKit does besides."""
        found = _PLACE.fullmatch(self.name)
        if found is None:
            return None
        return Place(found["stage"] or "", int(found["number"]), int(found["of"]), found["text"])

    @property
    def base(self) -> tuple[str, str] | None:
        """The name and the digest of the image that it pulls; None if it pulls none."""
        found = _BASE.fullmatch(self.name)
        return (found["name"], found["digest"]) if found else None


@dataclass(frozen=True, slots=True)
class Output:
    """What a vertex has printed."""

    vertex: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning of the checks of a Dockerfile."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Text:
    """A line that is no object: what buildctl itself says."""

    line: str


class Reader:
    """Puts objects together from the parts of long lines."""

    def __init__(self) -> None:
        self._pending = ""

    def read(self, line: str) -> Iterator[Vertex | Output | Warned | Text]:
        """Read a line, or a part of one."""
        text = self._pending + line
        if not text.startswith("{"):
            yield Text(text)
            return
        try:
            document = json.loads(text)
        except ValueError:
            self._pending = text if len(text) < LARGEST else ""
            return
        self._pending = ""
        if isinstance(document, dict):
            yield from _events(document)


def _events(document: Mapping[str, Any]) -> Iterator[Vertex | Output | Warned]:
    for each in document.get("vertexes") or ():
        yield Vertex(
            str(each.get("digest", "")),
            str(each.get("name", "")),
            bool(each.get("started")),
            bool(each.get("completed")),
            bool(each.get("cached")),
            str(each.get("error", "")),
        )
    for each in document.get("warnings") or ():
        ranges = each.get("range") or ()
        line = (ranges[0].get("start") or {}).get("line", 0) if ranges else 0
        yield Warned(_decoded(each.get("short", "")).decode("utf-8", "replace"), int(line))
    for each in document.get("logs") or ():
        yield Output(str(each.get("vertex", "")), _decoded(each.get("data", "")))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text or "")
    except (binascii.Error, ValueError):
        return b""
