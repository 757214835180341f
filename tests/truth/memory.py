"""Remembers what BuildKit made of a Dockerfile, for the command line: the second look at it takes half the time."""

import hashlib
import os
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from truth.differences import Difference
from truth.image import Image
from truth.subject import Subject


@dataclass(frozen=True)
class Expected:
    """What BuildKit made of a Dockerfile.

    Attributes:
        error: why it failed; empty if it did not.
        image: what it built, if it did.
        varying: in what a second build differed; None where there was none yet.
    """

    error: str = ""
    image: Image | None = None
    varying: tuple[Difference, ...] | None = None


@dataclass(frozen=True)
class Memory:
    """A directory of what is remembered.

    Attributes:
        directory: None remembers nothing.
        judge: whatever else decides what comes of a Dockerfile: BuildKit's version, the base images.
    """

    directory: Path | None
    judge: str = ""

    def recall(self, subject: Subject) -> Expected | None:
        """What is known of a Dockerfile and its context."""
        path = self._path(subject)
        if path is None or not path.exists():
            return None
        found = pickle.loads(path.read_bytes())
        return found if isinstance(found, Expected) else None

    def store(self, subject: Subject, expected: Expected) -> None:
        """Remember it."""
        path = self._path(subject)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}")
            draft.write_bytes(pickle.dumps(expected))
            draft.rename(path)

    def _path(self, subject: Subject) -> Path | None:
        # What a server serves may be another thing tomorrow.
        if self.directory is None or any("://" in value for value in subject.build_args.values()):
            return None
        key = hashlib.sha256(self.judge.encode())
        for part in _parts(subject):
            key.update(repr(part).encode())
        return self.directory / key.hexdigest()


def _parts(subject: Subject) -> Iterator[object]:
    yield sorted(subject.build_args.items()), sorted(subject.labels.items()), subject.target, subject.platform
    yield subject.dockerfile.read_bytes(), str(os.path.relpath(subject.dockerfile, subject.context))
    for root in (subject.root, subject.context):
        for path in sorted(root.rglob("*")):
            status = path.lstat()
            links = status.st_ino if status.st_nlink > 1 else 0
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            target = str(path.readlink()) if path.is_symlink() else ""
            yield (
                str(path.relative_to(root)),
                status.st_mode,
                status.st_mtime_ns,
                links > 0,
                hashlib.sha256(content).hexdigest(),
                target,
            )
        if root == subject.context:
            return
