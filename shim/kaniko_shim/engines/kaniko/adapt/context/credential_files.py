"""Warns of credentials in the build context that COPY or ADD can put into the image."""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.stages import copied, place_of
from kaniko_shim.engines.kaniko.adapt.context.credential_kinds import find_kinds
from kaniko_shim.engines.kaniko.adapt.copy.sources import find_items, has_pattern
from kaniko_shim.engines.kaniko.adapt.copy.trees.selection import without
from kaniko_shim.engines.kaniko.adapt.copy.trees.tree import ContextTree, Kind
from kaniko_shim.engines.kaniko.adapt.copy.words import COPYING, is_url

_MOST_READ = 64 * 1024
_MOST_FILES = 500
"""Files whose content is read; a context in which more have such names is not searched to its end."""
_MOST_SHOWN = 3
_LONGEST_SHOWN = 40
# What package managers put there is public, keys of test suites included.
_INSTALLED = frozenset({"node_modules", "site-packages"})
_GIT = ".git"


def warn_of_credentials(
    instructions: Iterable[Instruction], context: Path, tree: ContextTree, name: str
) -> Iterator[str]:
    """The warning, if files with credentials are copied; it names their paths, and nothing of their contents.

    Args:
        instructions: those that are built.
        context: the context's directory, without what is ignored.
        tree: the same.
        name: the Dockerfile's, for the message.
    """
    found = dict[str, str]()
    line = 0
    looked_at = set[str]()
    for instruction in instructions:
        if instruction.keyword not in COPYING or instruction.flag("--from") is not None:
            continue
        for path in _copied(instruction, context, tree, looked_at):
            if path not in found and (what := _credential(context, path)):
                found[path] = what
                line = line or instruction.line
    if found:
        shown = [f"{_short(path)} ({found[path]})" for path in sorted(found)[:_MOST_SHOWN]]
        if len(found) > _MOST_SHOWN:
            shown.append(f"{len(found) - _MOST_SHOWN} more")
        yield (
            f"{name} line {line} copies credentials into a layer: {', '.join(shown)}. "
            "List them in .dockerignore, and give a RUN that needs them a build secret."
        )


def _copied(instruction: Instruction, context: Path, tree: ContextTree, looked_at: set[str]) -> Iterator[str]:
    """The files that an instruction takes whose names are those of credentials, except those looked at before."""
    excludes = [value for flag, value in instruction.flags if flag == "--exclude"]
    for source in copied(instruction):
        if is_url(source):
            continue
        for path, kind in _places(source, tree):
            if kind is Kind.FILE:
                files: Iterable[str] = [path]
            elif kind is Kind.DIRECTORY and excludes:
                files = without(path, excludes, tree).files.values()
            elif kind is Kind.DIRECTORY:
                files = _files_below(context, path)
            else:
                continue
            for file in files:
                if file not in looked_at and find_kinds(file) and len(looked_at) < _MOST_FILES:
                    looked_at.add(file)
                    yield file


def _places(source: str, tree: ContextTree) -> Sequence[tuple[str, Kind]]:
    if "$" in source:
        # The values of variables are not known here: the directory in front of them.
        place = place_of(source[: source.index("$")].rpartition("/")[0])
        source = "." if has_pattern(place) else place
    try:
        return [(item.path, item.kind) for item in find_items(source, tree)]
    except LookupError:
        # The executor reports it.
        return []


def _files_below(context: Path, directory: str) -> Iterator[str]:
    prefix = len(os.fspath(context)) + 1
    for root, directories, names in os.walk(context if directory == "." else context / directory):
        if os.path.basename(root) == _GIT:  # noqa: PTH119 - fast
            # Objects and references: any number of files.
            directories.clear()
        directories[:] = [each for each in directories if each not in _INSTALLED]
        place = root[prefix:]
        for name in names:
            yield f"{place}/{name}" if place else name


def _credential(context: Path, path: str) -> str:
    """What a file holds; empty if it holds no credential."""
    try:
        descriptor = os.open(context / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(_MOST_READ) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except OSError:
        return ""
    return next((kind.what for kind in find_kinds(path) if kind.holds(content)), "") if content else ""


def _short(path: str) -> str:
    return path if len(path) <= _LONGEST_SHOWN else f"…{path[1 - _LONGEST_SHOWN :]}"
