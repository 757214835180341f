"""Keeps the set-id bits of directories that COPY and ADD take from the context.

The maintained line of executors makes such a directory without them, unless `--chmod` is given: then it sets the mode
that the directory has in the context, changed by the flag. `u=u` changes nothing.
"""

from collections.abc import Iterable, Iterator

from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.copy.scope import Scope
from kaniko_shim.engines.kaniko.adapt.copy.sources import Item, find_items
from kaniko_shim.engines.kaniko.adapt.copy.trees.tree import ContextTree, Kind
from kaniko_shim.engines.kaniko.adapt.copy.words import COPYING, is_url, words_of
from kaniko_shim.engines.kaniko.adapt.draft import Edit, replaced

_SAME = "--chmod=u=u"
_USUAL = 0o755


def keep_set_id(scopes: Iterable[Scope], tree: ContextTree, support: Support) -> Iterator[Edit]:
    """The edits that add the flag."""
    if support.is_old or not tree.directories_with_set_id():
        return
    for scope in scopes:
        instruction = scope.instruction
        if instruction.keyword not in COPYING or instruction.heredocs:
            continue
        if instruction.flag("--from") is not None or instruction.flag("--chmod") is not None:
            continue
        words = words_of(instruction)
        destination = scope.value(words.destination)
        exists = destination is not None and scope.exists(destination)
        items = [item for word in words.sources for item in _directories(scope, word, tree)]
        # A destination that the executor makes gets the mode of the source, too, where BuildKit's is 755.
        alike = exists or all(tree.mode(item.path) == _USUAL for item in items)
        if alike and any(_holds_set_id(item.path, tree) for item in items):
            keyword = instruction.head[: len(instruction.keyword)]
            flags = instruction.head[len(instruction.keyword) :]
            yield replaced(instruction, f"{keyword} {_SAME}{flags}{instruction.rest}")


def _holds_set_id(directory: str, tree: ContextTree) -> bool:
    prefix = "" if directory == "." else f"{directory}/"
    return any(path.startswith(prefix) for path in tree.directories_with_set_id())


def _directories(scope: Scope, word: str, tree: ContextTree) -> list[Item]:
    """The directories that a source names; none if that is not known beforehand."""
    source = scope.value(word)
    if source is None or is_url(source):
        return []
    try:
        return [item for item in find_items(source, tree) if item.kind is Kind.DIRECTORY]
    except LookupError:
        return []
