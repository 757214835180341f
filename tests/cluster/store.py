"""Folders in the user's cache, each named by a hash of what it was made from."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import settings
from cluster.console import step

UNUSED_SECONDS = 30 * 24 * 3600


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
    base = settings.cache()
    folder = base / f"{name}-{key(ingredients)}"
    if not folder.exists():
        with locked(base / f"{name}.lock"):
            if not folder.exists():
                draft = base / f".{name}"
                shutil.rmtree(draft, ignore_errors=True)
                draft.mkdir()
                with step(what):
                    make(draft)
                draft.rename(folder)
                _remove_unused(base, name)
    os.utime(folder)
    return folder


def renewed(name: str, what: str, ingredients: object, make: Callable[[Path], None]) -> Path:
    """The same, made now even if it is there already."""
    base = settings.cache()
    with locked(base / f"{name}.lock"):
        shutil.rmtree(base / f"{name}-{key(ingredients)}", ignore_errors=True)
    return entry(name, what, ingredients, make)


def _remove_unused(base: Path, name: str) -> None:
    """Remove what was made under this name from other ingredients and has not been used for long."""
    for folder in base.iterdir():
        mine = re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{16}}", folder.name)
        if mine and time.time() - folder.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(folder)


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
