"""The record of a build, which `build` writes into the layout and `push` attests.

It is written after all processes of RUN steps have ended. But a RUN step is root in that container and could have
changed the builder itself, so the record is only a claim; the image's digest is not.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kaniko_shim.oci.digests import DIGEST
from kaniko_shim.outcome.result import BaseImage

NAME: Final = "imagebuild.json"
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Record:
    """A build.

    Attributes:
        parameters: the parameters of the build, without secrets.
        source: what was fetched: `url`, and `revision` or `sha256` if known.
        dockerfile: SHA-256 of the Dockerfile, in hexadecimal.
        started: when it began, RFC 3339.
        finished: when it ended.
        base_images: what the images of FROM and --from were.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    source: Mapping[str, str] = field(default_factory=dict)
    dockerfile: str = ""
    started: str = ""
    finished: str = ""
    base_images: tuple[BaseImage, ...] = ()

    def document(self) -> dict[str, object]:
        """The record as a JSON document."""
        return {
            "parameters": dict(self.parameters),
            "source": dict(self.source),
            "dockerfile": self.dockerfile,
            "started": self.started,
            "finished": self.finished,
            "baseImages": [{"reference": each.reference, "digest": each.digest} for each in self.base_images],
        }


def write_record(record: Record, layout: Path) -> None:
    """Write a record into a layout, and replace what is there under its name."""
    path = layout / NAME
    path.unlink(missing_ok=True)
    # A variable may hold bytes that are not UTF-8.
    with path.open("x", encoding="utf-8", errors="replace") as stream:
        json.dump(record.document(), stream, ensure_ascii=False)


def read_record(document: Mapping[str, object]) -> Record:
    """Read a record from a document; anything that does not have the form of a record is ignored."""
    parameters = document.get("parameters")
    return Record(
        parameters if isinstance(parameters, dict) else {},
        _texts(document.get("source")),
        _text(document.get("dockerfile")),
        _text(document.get("started")),
        _text(document.get("finished")),
        tuple(_base_images(document.get("baseImages"))),
    )


def _base_images(value: object) -> Iterator[BaseImage]:
    for each in value if isinstance(value, list) else ():
        read = _texts(each)
        if read.get("reference") and DIGEST.fullmatch(read.get("digest", "")):
            yield BaseImage(read["reference"], read["digest"])


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(name)[:_LONGEST]: _text(text) for name, text in value.items() if isinstance(text, str)}


def _text(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""
