"""What `build` notes about a build for `push`, which attests it: a file beside the layout.

It is written when no process of the Dockerfile's runs any more. Yet a RUN step is root in that container, and could
have changed the builder itself, so what stands there is a claim; the image's digest is none.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

NAME: Final = "imagebuild.json"
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Record:
    """A build.

    Attributes:
        parameters: what was asked for, without secrets.
        source: what was fetched: `url`, and `revision` or `sha256`, as far as they are known.
        dockerfile: SHA-256 of the Dockerfile, in hexadecimal.
        started: when it began, RFC 3339.
        finished: when it ended.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    source: Mapping[str, str] = field(default_factory=dict)
    dockerfile: str = ""
    started: str = ""
    finished: str = ""

    def document(self) -> dict[str, object]:
        """As JSON's types."""
        return {
            "parameters": dict(self.parameters),
            "source": dict(self.source),
            "dockerfile": self.dockerfile,
            "started": self.started,
            "finished": self.finished,
        }


def write_record(record: Record, layout: Path) -> None:
    """Leave it in a layout, in place of whatever is there under its name."""
    path = layout / NAME
    path.unlink(missing_ok=True)
    # A variable may hold bytes that are not UTF-8.
    with path.open("x", encoding="utf-8", errors="replace") as stream:
        json.dump(record.document(), stream, ensure_ascii=False)


def read_record(document: Mapping[str, object]) -> Record:
    """Take of a document what has the form of a record; anything else in it is left out."""
    parameters = document.get("parameters")
    return Record(
        parameters if isinstance(parameters, dict) else {},
        _texts(document.get("source")),
        _text(document.get("dockerfile")),
        _text(document.get("started")),
        _text(document.get("finished")),
    )


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(name)[:_LONGEST]: _text(text) for name, text in value.items() if isinstance(text, str)}


def _text(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""
