"""Takes compressed files that are no archives out of ADD, which the executor would try to unpack; COPY copies them."""

from collections.abc import Iterable, Iterator

from kaniko_shim.archives.added import Added
from kaniko_shim.dockerfile.parse import parse_heredoc
from kaniko_shim.engines.kaniko.adapt.copy.scope import Scope
from kaniko_shim.engines.kaniko.adapt.copy.sources import Item, find_items, has_pattern
from kaniko_shim.engines.kaniko.adapt.copy.trees.tree import ContextTree, Kind
from kaniko_shim.engines.kaniko.adapt.copy.words import is_url, json_form, literal, words_of
from kaniko_shim.engines.kaniko.adapt.draft import Edit, replaced

_OF_ADD = frozenset({"--checksum", "--keep-git-dir", "--unpack"})


def split_adds(scopes: Iterable[Scope], tree: ContextTree) -> Iterator[Edit]:
    """The edits that replace an ADD of such files by a COPY of them, and an ADD of the rest if there is any."""
    for scope in scopes:
        instruction = scope.instruction
        if instruction.keyword != "ADD" or instruction.heredocs:
            continue
        words = words_of(instruction)
        added, copied = list[str](), list[str]()
        for word in words.sources:
            items = _items(scope, word, tree)
            mistaken = [item for item in items if _is_mistaken(item, tree)]
            copied += [literal(item.named) for item in mistaken]
            added += [literal(item.named) for item in items if item not in mistaken] if mistaken else [word]
        if copied:
            made = [f"{instruction.head_without()}{json_form(added, words.destination)}"] if added else []
            _, _, flags = instruction.head_without(_OF_ADD).partition(" ")
            yield replaced(instruction, "\n".join([*made, f"COPY {flags}{json_form(copied, words.destination)}"]))


def _items(scope: Scope, word: str, tree: ContextTree) -> list[Item]:
    """What a source names; none if that is not known beforehand."""
    source = None if parse_heredoc(word) else scope.value(word)
    if source is None or is_url(source):
        return []
    try:
        items = find_items(source, tree)
    except LookupError:
        return []
    return [] if any(has_pattern(item.named) for item in items) else items


def _is_mistaken(item: Item, tree: ContextTree) -> bool:
    return item.kind is Kind.FILE and tree.added(item.path) is Added.MISTAKEN
