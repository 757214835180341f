"""Folders in the user's cache, each named by a hash of what it was made from."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import settings
from cluster.console import step


def key(*ingredients: object) -> str:
    """A short hash of JSON-like ingredients; paths stand for the content of their files."""
    plain = json.dumps(ingredients, sort_keys=True, default=_content)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def _content(value: object) -> str:
    if isinstance(value, Path):
        return hashlib.sha256(value.read_bytes()).hexdigest()
    raise TypeError(f"not an ingredient: {value!r}")


def entry(name: str, what: str, ingredients: object, make: Callable[[Path], None]) -> Path:
    """The folder made by `make` from these ingredients, made now if it is not there yet.

    It appears under its name only when it is whole, so that a killed run leaves nothing that is
    taken for finished; two runs that want the same one wait for each other.
    """
    folder = settings.cache() / f"{name}-{key(ingredients)}"
    if folder.exists():
        return folder
    with locked(settings.cache() / f"{name}.lock"):
        if not folder.exists():
            draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=settings.cache()))
            try:
                with step(what):
                    make(draft)
                draft.chmod(0o755)
                draft.rename(folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file, which the kernel drops when the process ends in any way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is(path, descriptor):
                yield
                return
        finally:
            os.close(descriptor)


def _is(path: Path, descriptor: int) -> bool:
    """Whether the file is still there: its last holder may have removed it."""
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False
