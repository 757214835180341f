"""The lines of a Dockerfile around the one that failed."""

from dataclasses import dataclass
from typing import Any

from imagebuild import Build


@dataclass(frozen=True, slots=True)
class DockerfileLine:
    """A line of the Dockerfile.

    Attributes:
        number: Its number, from 1.
        text: The line.
        failed: Whether it belongs to the instruction that failed.
    """

    number: int
    text: str
    failed: bool


def lines_around(dockerfile: str, number: int | None, around: int) -> tuple[DockerfileLine, ...]:
    """The lines around an instruction that failed; empty if there is no such line.

    Args:
        dockerfile: The text of the Dockerfile.
        number: The line at which the instruction begins, from 1; None if it is not known.
        around: Lines before and after the instruction.
    """
    lines = dockerfile.splitlines()
    if number is None or not 1 <= number <= len(lines):
        return ()
    last = number
    # An instruction goes on after a line that ends in a backslash.
    while last < len(lines) and lines[last - 1].rstrip().endswith("\\"):
        last += 1
    shown = range(max(number - around, 1), min(last + around, len(lines)) + 1)
    return tuple(DockerfileLine(each, lines[each - 1], number <= each <= last) for each in shown)


def inline_dockerfile(build: Build) -> str:
    """Text of the Dockerfile in the spec; empty if it is elsewhere."""
    where: dict[str, Any] = build.spec.get("dockerfile") or {}
    if where.get("inline"):
        return str(where["inline"])
    files = ((build.spec.get("source") or {}).get("inline") or {}).get("files") or {}
    folder = str(build.spec.get("contextDir") or "").removeprefix("./").strip("/")
    path = str(where.get("path") or "Dockerfile").removeprefix("./")
    return str(files.get(f"{folder}/{path}" if folder not in {"", "."} else path) or "")
