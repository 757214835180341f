"""Warns of hard links in the context that an executor copies as separate files."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.engines.kaniko.adapt.copy.words import COPYING


def warn_of_hard_links(instructions: Iterable[Instruction], context: Path) -> Iterator[str]:
    """The warning, if something is copied from the context and it has hard links.

    Args:
        instructions: those that are built.
        context: the context's directory.
    """
    copies = any(each.keyword in COPYING and each.flag("--from") is None for each in instructions)
    if copies and (names := _linked(context)):
        yield (
            f"The build context has hard links ({names[0]} and {names[1]}); this executor copies them as separate "
            "files, where Docker keeps them together. Link them in a RUN."
        )


def _linked(context: Path) -> tuple[str, str] | None:
    """Two names of the same file, the first that are found."""
    seen = dict[int, str]()
    for root, directories, names in os.walk(context):
        directories.sort()
        for name in sorted(names):
            path = os.path.join(root, name)  # noqa: PTH118 - surrogates
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                place = os.path.relpath(path, context)
                if status.st_ino in seen:
                    return seen[status.st_ino], place
                seen[status.st_ino] = place
    return None
