"""Refuses links in the context by which COPY or ADD would copy the builder's own files.

Links are part of a context and are copied as they are, wherever they lead: an image may well want one to
/usr/bin. Those on the way to a source lead to what the context has there, and are resolved before. The executor follows
any that are left, though, in its own file system, which has the credentials that it pulls base images with.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.dockerfile.stages import place_of
from kaniko_shim.outcome.reasons import Reason

_BUILDER = Path("/kaniko")
# Patterns are matched without following links.
_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class CopiedSource:
    """A source of a COPY or ADD from the context, as the executor will read it.

    Attributes:
        instruction: the instruction.
        path: without quotes and with its variables; None if one of these is not known.
    """

    instruction: Instruction
    path: str | None


def refuse_links_out(sources: Iterable[CopiedSource], context: Path, name: str) -> None:
    """Refuse sources behind a link that leads out of the context.

    Args:
        sources: those that the executor gets.
        context: the context's directory.
        name: the Dockerfile's, for the message.

    Raises:
        JobError: SourceInvalid, naming the link, the file and the line.
    """
    root = context.resolve()
    for source in sources:
        instruction = source.instruction
        if source.path is None:
            # Its variable may lead over any link.
            link = next(_links_to_the_builder(context, root), None)
        else:
            link = _link_out(context, source.path, root, last=instruction.keyword == "ADD")
        if link:
            problem = (
                f"{link.relative_to(context).as_posix()!r} is a link to {str(link.readlink())!r}, outside the "
                "build context, where the builder's own files are"
            )
            advice = "Copy the file itself into the build context."
            raise refusal(Reason.SOURCE_INVALID, name, instruction, problem, advice)


def _links_to_the_builder(context: Path, root: Path) -> Iterator[Path]:
    for directory, directories, files in os.walk(context):
        for each in (*directories, *files):
            path = Path(directory, each)
            if path.is_symlink():
                try:
                    target = path.resolve()
                except (OSError, RuntimeError):
                    continue
                inside = target.is_relative_to(root)
                if not inside and (target.is_relative_to(_BUILDER) or _BUILDER.is_relative_to(target)):
                    yield path


def _link_out(context: Path, source: str, root: Path, *, last: bool) -> Path | None:
    """The link that leads out of the tree. COPY does not follow a link in the last position, ADD of an archive does."""
    if "://" in source:
        return None
    parts = [part for part in place_of(source).split("/") if part != "."]
    place = context
    for part in parts if last else parts[:-1]:
        if _PATTERN.search(part):
            return None
        place /= part
        try:
            if place.is_symlink() and not place.resolve().is_relative_to(root):
                return place
        except (OSError, RuntimeError, ValueError):
            # Missing, or a loop: the executor reports it.
            return None
    return None
