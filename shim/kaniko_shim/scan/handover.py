"""What `scan` hands over to `push`: which image it has let pass, and what it says about it."""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.system.json_text import load_json

NAME: Final = "scan.json"
LARGEST: Final = 32 * 1024 * 1024
"""Bytes of it: the SBOM of some 20,000 packages. `push` reads it as a whole."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was handed over.

    Attributes:
        digest: of the image's manifest.
        predicate: what was found.
        sbom: in the format that was asked for; None if none is wanted.
    """

    digest: str
    predicate: Mapping[str, object]
    sbom: Mapping[str, object] | None = None


def hand_over(directory: Path, scanned: Scanned) -> None:
    """Write it into a directory that `push` can read.

    Raises:
        JobError: ScanFailed; it is too large.
    """
    content = json.dumps(asdict(scanned)).encode()
    if len(content) > LARGEST:
        raise JobError(
            Reason.SCAN_FAILED, f"The result of the scan is larger than {LARGEST} bytes. Nothing was pushed."
        )
    (directory / NAME).write_bytes(content)


def take_over(directory: Path, digest: str) -> Scanned:
    """What was handed over about the image with a digest.

    A scanner that an image has taken over could have written anything.

    Raises:
        JobError: ScanFailed; no scan has let this image pass.
    """
    try:
        handed = load_json(_read(directory / NAME))
        sbom = handed.get("sbom")
        scanned = Scanned(handed["digest"], dict(handed["predicate"]), None if sbom is None else dict(sbom))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"The result of the scan can't be read: {error}. Nothing was pushed."
        raise JobError(Reason.SCAN_FAILED, problem) from error
    if scanned.digest != digest:
        problem = f"Another image was scanned ({scanned.digest}) than {digest}. Nothing was pushed."
        raise JobError(Reason.SCAN_FAILED, problem)
    return scanned


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST} bytes")
    return content
