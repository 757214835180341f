"""Refuses links in the context by which COPY or ADD would copy the builder's own files.

Links are part of a context and are copied as they are, wherever they lead: an image may well want one to
/usr/bin. Those on the way to a source lead to what the context has there, and are resolved before. The executor follows
any that are left, though, in its own file system, which has the credentials that it pulls base images with.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from kaniko_shim.dockerfile.refusal import refusal
from kaniko_shim.dockerfile.syntax.instruction import Instruction
from kaniko_shim.dockerfile.syntax.stages import copied, place_of
from kaniko_shim.outcome.reasons import Reason

_COPYING = frozenset({"COPY", "ADD"})
# Patterns are matched without following links; the values of variables are not known here.
_UNKNOWN = re.compile(r"[*?\[$]")


def refuse_links_out(instructions: Iterable[Instruction], context: Path, name: str) -> None:
    """Refuse sources behind a link that leads out of the context.

    Args:
        instructions: those that the executor gets.
        context: the context's directory.
        name: the Dockerfile's, for the message.

    Raises:
        JobError: SourceInvalid, naming the link, the file and the line.
    """
    root = context.resolve()
    for instruction in instructions:
        if instruction.keyword not in _COPYING or instruction.flag("--from") is not None:
            continue
        for source in copied(instruction):
            if link := _link_out(context, source, root, last=instruction.keyword == "ADD"):
                problem = (
                    f"{link.relative_to(context).as_posix()!r} is a link to {str(link.readlink())!r}, outside the "
                    "build context, where the builder's own files are"
                )
                advice = "Copy the file itself into the build context."
                raise refusal(Reason.SOURCE_INVALID, name, instruction, problem, advice)


def _link_out(context: Path, source: str, root: Path, *, last: bool) -> Path | None:
    """The link that leads out of the tree. COPY does not follow a link in the last position, ADD of an archive does."""
    if "://" in source:
        return None
    parts = [part for part in place_of(source).split("/") if part != "."]
    place = context
    for part in parts if last else parts[:-1]:
        if _UNKNOWN.search(part):
            return None
        place /= part
        try:
            if place.is_symlink() and not place.resolve().is_relative_to(root):
                return place
        except (OSError, RuntimeError, ValueError):
            # Missing, or a loop: the executor reports it.
            return None
    return None
