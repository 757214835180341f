"""Warnings about what COPY and ADD do differently from Docker, though the image is usable."""

import posixpath
import re
from collections.abc import Iterator, Sequence

from kaniko_shim.archives.added import Added
from kaniko_shim.dockerfile.parse import parse_heredoc
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.copy.scope import Scope
from kaniko_shim.engines.kaniko.adapt.copy.sources import Item, find_items
from kaniko_shim.engines.kaniko.adapt.copy.trees.tree import ContextTree, Kind
from kaniko_shim.engines.kaniko.adapt.copy.words import USUAL_DIRECTORIES, is_url, words_of

_ROOTS = frozenset({"0", "root"})
_UMASK = 0o022
_USUAL_MODE = 0o755
_PERMISSIONS = 0o777
_OCTAL = re.compile(r"[0-7]{1,4}")


def differences(scope: Scope, tree: ContextTree | None, support: Support) -> Iterator[str]:
    """What a COPY or ADD does otherwise, each with advice; one or two sentences without the line."""
    instruction = scope.instruction
    owner = instruction.flag("--chown") or ""
    if owner and owner.partition(":")[0] not in _ROOTS:
        if instruction.flag("--link") not in {None, "false"} and _is_below_another(scope):
            yield (
                f"--chown={owner} with --link does not change the owner of existing directories above the destination, "
                "where Docker does. Remove --link."
            )
        if instruction.flag("--from") is not None and _is_directory_that_exists(scope):
            yield (
                f"--chown={owner} also changes the owner of the destination, if a directory is copied to it, where "
                "Docker leaves a directory that exists as it is. Change it back in a RUN."
            )
    mode = scope.value(instruction.flag("--chmod") or "") or ""
    if _OCTAL.fullmatch(mode) and _makes_directories(scope, kinds := _kinds(scope, tree)):
        wanted = int(mode, 8)
        # The old executor asks its first source what to make them for.
        made = _USUAL_MODE if support.is_old and kinds[:1] != [Kind.DIRECTORY] else wanted & ~_UMASK
        if made != wanted & _PERMISSIONS:
            yield (
                f"--chmod={mode} gives directories that it has to make mode {made:o}, where Docker gives them "
                f"{wanted & _PERMISSIONS:o}. Make the directories in a RUN."
            )
    if tree and instruction.flag("--from") is None:
        yield from _of_context(scope, tree)


def unpacks_capabilities(scope: Scope, tree: ContextTree) -> bool:
    """Whether an ADD unpacks programs with capabilities of their own."""
    return any(tree.lost(archive.path).capabilities for archive in _archives(scope, tree))


def _archives(scope: Scope, tree: ContextTree) -> list[Item]:
    """The archives that an ADD unpacks, as far as they are known."""
    if scope.instruction.keyword != "ADD":
        return []
    try:
        items = list(_items(scope, tree))
    except LookupError:
        return []
    unpacked = {Added.ARCHIVE, Added.DECOMPRESSED}
    return [item for item in items if item.kind is Kind.FILE and tree.added(item.path) in unpacked]


def _is_below_another(scope: Scope) -> bool:
    """Whether there is a directory above the destination, besides the root, that exists for sure or nearly so."""
    value = scope.value(words_of(scope.instruction).destination) or ""
    above = value if value.endswith("/") else posixpath.dirname(value)
    while above := above.rstrip("/"):
        if scope.exists(above) or USUAL_DIRECTORIES.fullmatch(above):
            return True
        above = posixpath.dirname(above)
    return False


def _of_context(scope: Scope, tree: ContextTree) -> Iterator[str]:
    owner = scope.instruction.flag("--chown") or ""
    is_others = owner.partition(":")[0] not in {"", *_ROOTS}
    if scope.instruction.keyword != "ADD" and not is_others:
        return
    try:
        items = list(_items(scope, tree))
    except LookupError:
        return
    archives = _archives(scope, tree)
    for archive in archives:
        lost = tree.lost(archive.path)
        if lost.owners and not is_others:
            yield f"ADD gives the symbolic links in {archive.path} to root, where Docker gives them their owner."
        if lost.pipes:
            yield f"ADD leaves out the named pipes in {archive.path}. Make them in a RUN."
    if not is_others:
        return
    if any(item.kind is Kind.DIRECTORY and _has_link(item.path, tree) for item in items):
        yield (
            f"--chown={owner} leaves the symbolic links among the files to root, where Docker gives them that owner "
            "too. What they lead to has the owner."
        )
    if archives:
        yield (
            f"--chown={owner} does not change the owners of files in an archive that ADD unpacks, where Docker does. "
            "Change them in a RUN."
        )


def _has_link(directory: str, tree: ContextTree) -> bool:
    waiting = [directory]
    while waiting:
        place = waiting.pop()
        for name in tree.children(place):
            path = name if place == "." else f"{place}/{name}"
            kind = tree.kind(path)
            if kind is Kind.LINK:
                return True
            if kind is Kind.DIRECTORY:
                waiting.append(path)
    return False


def _makes_directories(scope: Scope, kinds: Sequence[Kind]) -> bool:
    """Whether the destination, or the directory above a directory or single file, may have to be made."""
    value = scope.value(words_of(scope.instruction).destination)
    if value is None or scope.exists(value):
        return False
    if Kind.DIRECTORY in kinds:
        # The executor gives the mode to the destination itself.
        value = value.rstrip("/")
    made = value.rstrip("/") if value.endswith("/") else posixpath.dirname(value)
    return not scope.exists(made) and not USUAL_DIRECTORIES.fullmatch(made or "/")


def _kinds(scope: Scope, tree: ContextTree | None) -> list[Kind]:
    """What is copied from the context, in its order; empty as far as it is not known."""
    if tree is None or scope.instruction.flag("--from") is not None:
        return []
    try:
        return [item.kind for item in _items(scope, tree)]
    except LookupError:
        return []


def _items(scope: Scope, tree: ContextTree) -> Iterator[Item]:
    for word in words_of(scope.instruction).sources:
        source = scope.value(word)
        if source and not is_url(source) and not parse_heredoc(word):
            yield from find_items(source, tree)


def _is_directory_that_exists(scope: Scope) -> bool:
    """Whether a directory of another stage is copied to one of another owner, as far as it is known."""
    words = words_of(scope.instruction)
    destination = scope.value(words.destination)
    # A name with a dot is a file's.
    directories = any("." not in posixpath.basename(posixpath.normpath(word)).lstrip(".") for word in words.sources)
    if not directories or destination is None or not scope.exists(destination):
        return False
    return scope.owner(destination) != (scope.value(scope.instruction.flag("--chown") or "") or "")
