"""Finds the ignore file of a context."""

from pathlib import Path

from imagebuild_dockerignore.errors import IgnoreFileError
from imagebuild_dockerignore.rules import IgnoreRules, parse_rules

IGNORE_FILE = ".dockerignore"
LARGEST = 4 * 1024 * 1024
"""Maximum size of an ignore file in bytes."""


def ignore_files(dockerfile: str) -> tuple[str, ...]:
    """Where an ignore file may be, relative to the context; as in Docker, one next to the Dockerfile comes first.

    Args:
        dockerfile: the Dockerfile's path relative to the context; empty if it does not come from there.
    """
    return (f"{dockerfile}{IGNORE_FILE}", IGNORE_FILE) if dockerfile else (IGNORE_FILE,)


def find_rules(root: Path, context: Path, dockerfile: str) -> IgnoreRules:
    """The rules of a context; none if it has no ignore file.

    Args:
        root: the tree that the file must lie in, once links are followed.
        context: the context in it.
        dockerfile: as above.

    Raises:
        IgnoreFileError: the file has a malformed line.
    """
    for name in ignore_files(dockerfile):
        content = _read(root, context / name, name)
        if content is not None:
            return parse_rules(content, name)
    return IgnoreRules()


def _read(root: Path, path: Path, name: str) -> bytes | None:
    """The content of a file, links resolved; None if there is no such file in the tree."""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return None
    if not real.is_relative_to(root.resolve()) or not real.is_file():
        return None
    if real.stat().st_size > LARGEST:
        raise IgnoreFileError(f"{name} has more than {LARGEST} bytes.")
    try:
        return real.read_bytes()
    except OSError as error:
        raise IgnoreFileError(f"{name} can't be read ({error.strerror}).") from error
