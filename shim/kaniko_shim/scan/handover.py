"""What `scan` hands over to `push`: which image it has let pass, and the predicate about it."""

import json
from collections.abc import Mapping
from pathlib import Path

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.system.json_text import load_json

NAME = "scan.json"


def hand_over(directory: Path, digest: str, predicate: Mapping[str, object]) -> None:
    """Write it into a directory that `push` can read."""
    (directory / NAME).write_text(json.dumps({"digest": digest, "predicate": predicate}), encoding="utf-8")


def take_over(directory: Path, digest: str) -> dict[str, object]:
    """The predicate about the image with a digest.

    Raises:
        JobError: ScanFailed; no scan has let this image pass.
    """
    try:
        handed = load_json((directory / NAME).read_text(encoding="utf-8"))
        scanned, predicate = handed["digest"], dict(handed["predicate"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"The result of the scan can't be read: {error}. Nothing was pushed."
        raise JobError(Reason.SCAN_FAILED, problem) from error
    if scanned != digest:
        raise JobError(Reason.SCAN_FAILED, f"Another image was scanned ({scanned}) than {digest}. Nothing was pushed.")
    return predicate
