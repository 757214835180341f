"""The folder in which an upload is received, and by which `receive` and `send` communicate.

`receive` waits; `send` is started in the same container, once for each connection. Only a complete archive ever gets
the name that the build reads.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kaniko_shim.system.json_text import load_json


@dataclass(frozen=True, slots=True)
class Terms:
    """What `receive` accepts.

    Attributes:
        deadline: when an upload must be complete, RFC 3339 in UTC.
        max_bytes: limit on the archive as it is sent.
        sha256: SHA-256 of the only archive that is accepted; empty for any.
    """

    deadline: str
    max_bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What an upload that was cut off has left: bytes received, and the size and SHA-256 that it is to have."""

    received: int = 0
    size: int | None = None
    sha256: str = ""


class UploadFolder:
    """The files of an upload.

    Attributes:
        archive: the complete archive.
        incoming: what has been received so far.
    """

    def __init__(self, root: Path) -> None:
        self.archive = root / "archive"
        self.incoming = root / "incoming"
        self._record = root / "incoming.json"
        self._terms = root / "terms.json"
        self._refusal = root / "refusal.json"
        self._lock = root / "lock"
        self._bell = root / "bell"
        self._closed = root / "closed"

    def open(self, terms: Terms) -> int:
        """Begin to accept uploads; returns a descriptor that becomes readable when one may be complete."""
        self._bell.unlink(missing_ok=True)
        os.mkfifo(self._bell, 0o600)
        bell = os.open(self._bell, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        _write(self._terms, {"deadline": terms.deadline, "maxBytes": terms.max_bytes, "sha256": terms.sha256})
        return bell

    def close(self) -> None:
        """Accept no more uploads, and remove what is not complete."""
        self._closed.touch()
        for path in (self._terms, self._bell, self.incoming, self._record):
            path.unlink(missing_ok=True)

    @property
    def terms(self) -> Terms | None:
        """What is accepted; None if no upload is awaited."""
        found = _read(self._terms)
        return Terms(str(found["deadline"]), int(found["maxBytes"]), str(found["sha256"])) if found else None

    @property
    def is_closed(self) -> bool:
        """Whether uploads were accepted before, and are no more."""
        return self._closed.exists()

    @property
    def is_complete(self) -> bool:
        """Whether an upload is complete."""
        return self.archive.exists()

    @property
    def sha256(self) -> str:
        """The SHA-256 of a complete upload as it was recorded; empty after `close`."""
        found = _read(self._record)
        return str(found["sha256"]) if found else ""

    @contextmanager
    def claimed(self, *, wait: bool = False) -> Iterator[bool]:
        """Whether this process is the only one that sends; it stays so until the context or the process ends."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(descriptor)
            yield False
            return
        # The descriptor stays open until the process ends: until then, its result may not have been printed.
        yield True

    @property
    def kept(self) -> Kept:
        """What can be continued."""
        found = _read(self._record)
        if found is None:
            return Kept()
        try:
            received = self.incoming.stat().st_size
        except FileNotFoundError:
            return Kept()
        return Kept(received, int(found["size"]), str(found["sha256"]))

    @property
    def received(self) -> int:
        """Bytes received of an upload that is not complete."""
        try:
            return self.incoming.stat().st_size
        except FileNotFoundError:
            return 0

    def keep(self, size: int, sha256: str) -> None:
        """Record which archive is being received, so that its upload can be continued."""
        _write(self._record, {"size": size, "sha256": sha256})

    def discard(self) -> None:
        """Remove what was received."""
        self._record.unlink(missing_ok=True)
        self.incoming.unlink(missing_ok=True)

    def refuse(self, message: str) -> None:
        """Remove what was received, and record why, for the message of a build that gets no other upload."""
        self.discard()
        _write(self._refusal, {"message": message})

    @property
    def refusal(self) -> str:
        """Why the last upload was refused; empty if none was."""
        found = _read(self._refusal)
        return str(found["message"]) if found else ""

    def complete(self, size: int, sha256: str) -> None:
        """Give what was received to the build, and wake `receive`."""
        self.keep(size, sha256)
        self.incoming.chmod(0o644)
        self.incoming.rename(self.archive)
        bell = os.open(self._bell, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(bell, b"\n")
        finally:
            os.close(bell)


def _write(path: Path, document: Mapping[str, Any]) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(document), encoding="utf-8")
    new.rename(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        document = load_json(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return document if isinstance(document, dict) else None
