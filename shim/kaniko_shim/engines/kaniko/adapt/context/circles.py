"""Refuses links that lead to themselves, with which the executor fails, or forgets the files around them."""

import errno
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.dockerfile.stages import copied, place_of
from kaniko_shim.engines.kaniko.adapt.copy.words import COPYING, is_url
from kaniko_shim.outcome.reasons import Reason

_UNKNOWN = re.compile(r"[*?\[$\\]")


def refuse_circles(instructions: Iterable[Instruction], context: Path, name: str) -> None:
    """Refuse a COPY or ADD of a directory that holds such a link.

    Args:
        instructions: those that are built.
        context: the context's directory.
        name: the Dockerfile's, for the message.

    Raises:
        JobError: DockerfileUnsupported, naming the link, the file and the line.
    """
    copies = [each for each in instructions if each.keyword in COPYING and each.flag("--from") is None]
    circles = _circles(context) if copies else ()
    for instruction in copies:
        for source in copied(instruction) if circles else ():
            directory = "" if is_url(source) else _directory(source, context)
            link = next((each for each in circles if directory and f"./{each}".startswith(f"{directory}/")), None)
            if link:
                problem = (
                    f"{link!r} in the build context is a link that leads to itself, which the executor cannot copy"
                )
                advice = "Remove the link, or exclude it in .dockerignore."
                raise refusal(Reason.DOCKERFILE_UNSUPPORTED, name, instruction, problem, advice)


def _directory(source: str, context: Path) -> str:
    """The directory that holds all that a source can name, beginning with `./`, or `.` for the context."""
    path = place_of(source)
    if match := _UNKNOWN.search(path):
        path = path[: match.start()].rpartition("/")[0] if "$" not in path else ""
    real = os.path.realpath(context / path)
    place = os.path.relpath(real, context)
    return "." if place == "." or place.startswith("../") else f"./{place}"


def _circles(context: Path) -> Sequence[str]:
    """The links that lead to themselves, over others or not."""
    found = list[str]()
    for root, directories, names in os.walk(context):
        for name in (*directories, *names):
            path = os.path.join(root, name)  # noqa: PTH118 - surrogates
            if os.path.islink(path) and _is_circle(path):  # noqa: PTH114 - surrogates
                found.append(os.path.relpath(path, context))
    return sorted(found)


def _is_circle(path: str) -> bool:
    try:
        os.stat(path)  # noqa: PTH116 - surrogates
    except OSError as error:
        return error.errno == errno.ELOOP
    return False
