"""Finds and reads the Dockerfile, and writes the files of heredocs."""

from collections.abc import Mapping
from pathlib import Path

from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason

LARGEST = 4 * 1024 * 1024
"""Maximum size of a Dockerfile in bytes."""

_MOST_NAMES = 8


def locate(root: Path, context: Path, path: str) -> Path:
    """The path of the Dockerfile, links resolved.

    Args:
        root: the fetched tree, which it must lie in.
        context: the context in it, to which `path` is relative.
        path: as the user wrote it.

    Raises:
        JobError: DockerfileNotFound, or InvalidSpec if it lies outside of the tree.
    """
    candidate = context / path
    try:
        real = candidate.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise _not_found(context, path) from error
    if not real.is_relative_to(root.resolve()):
        raise JobError(
            Reason.INVALID_SPEC,
            f"DOCKERFILE_PATH={path!r} is outside the build context.",
            hint="Write a path relative to the build context, or set DOCKERFILE_CONTENT.",
        )
    if not real.is_file():
        raise _not_found(context, path)
    return real


def read(path: Path, name: str) -> bytes:
    """The content of a Dockerfile.

    Raises:
        JobError: DockerfileInvalid; it is empty or no text at all.
    """
    content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    if not content.strip():
        problem = "is empty" if path.stat().st_size <= LARGEST else f"has more than {LARGEST} bytes"
        raise JobError(Reason.DOCKERFILE_INVALID, f"{name} {problem}.")
    if b"\0" in content:
        raise JobError(Reason.DOCKERFILE_INVALID, f"{name} is not text: it contains NUL bytes. Save it as UTF-8.")
    return content


def write_files(files: Mapping[str, tuple[str, int]], directory: Path) -> None:
    """Write content and mode of files, by path below a directory."""
    for name, (content, mode) in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", errors="surrogateescape", newline="")
        path.chmod(mode)


def _not_found(context: Path, path: str) -> JobError:
    there = sorted(item.name for item in context.iterdir())
    shown = ", ".join(there[:_MOST_NAMES]) + (", …" if len(there) > _MOST_NAMES else "")
    return JobError(
        Reason.DOCKERFILE_NOT_FOUND,
        f"The build context has no file {path!r}; it contains: {shown or 'nothing'}.",
    )
