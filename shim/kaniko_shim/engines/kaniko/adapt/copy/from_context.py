"""Rewrites a COPY or ADD from the build context, for which all the files that it names are known beforehand."""

import functools
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kaniko_shim.archives.added import Added
from kaniko_shim.dockerfile.instruction import Instruction
from kaniko_shim.dockerfile.parse import parse_heredoc
from kaniko_shim.dockerfile.stages import place_of
from kaniko_shim.engines.kaniko.adapt.capabilities import Support
from kaniko_shim.engines.kaniko.adapt.copy.scope import Scope
from kaniko_shim.engines.kaniko.adapt.copy.sources import Item, find_items, has_pattern
from kaniko_shim.engines.kaniko.adapt.copy.trees.aliases import Aliases
from kaniko_shim.engines.kaniko.adapt.copy.trees.directories import USUAL_MODE, destination_is_made_alike
from kaniko_shim.engines.kaniko.adapt.copy.trees.prepared import PreparedTree
from kaniko_shim.engines.kaniko.adapt.copy.trees.selection import with_parents, without
from kaniko_shim.engines.kaniko.adapt.copy.trees.tree import ContextTree, Kind
from kaniko_shim.engines.kaniko.adapt.copy.words import Words, is_url, json_form, literal, words_of

_MOST_WORDS = 2000
_OURS = frozenset({"--parents", "--exclude"})


@dataclass(frozen=True, slots=True)
class ContextCopies:
    """Rewrites the copies of one Dockerfile.

    Attributes:
        tree: the context.
        support: the executor's.
        prepared_directory: where prepared trees are to lie, relative to the context.
        aliases: filled with the second paths of directories.
        prepared: filled with the trees to prepare, by name.
    """

    tree: ContextTree
    support: Support
    prepared_directory: str
    aliases: Aliases
    prepared: dict[str, PreparedTree] = field(default_factory=dict)

    def rewritten(self, scope: Scope, heredocs: Mapping[str, str]) -> str | None:
        """The instruction to give to the executor; None if it interprets the original as BuildKit does.

        Args:
            scope: what is known before a COPY without `--from`, or an ADD.
            heredocs: the files of its heredocs by word, relative to the context, if they have become files.

        Raises:
            LookupError: a link or a pattern of `--parents` leads nowhere.
            ValueError: a flag is malformed, or needs a variable whose value is not known.
        """
        instruction = scope.instruction
        words = words_of(instruction)
        needed = any(instruction.flag(flag) is not None for flag in _OURS)
        if instruction.heredocs and not heredocs:
            if needed:
                raise ValueError("a heredoc can't be copied together with --parents or --exclude")
            return None
        made = self._all_sources(scope, words, heredocs, needed=needed)
        if (
            made is None
            or len(made) > _MOST_WORDS
            or (made and not needed and all(source is None for source, _ in made))
        ):
            return None
        sources = [word if source is None else source for source, word in made if source != ""]
        if not sources:
            return ""
        destination = words.destination
        if len(sources) > len(words.sources) and not destination.endswith("/"):
            # The executor wants it of several sources; a directory that became two goes to a directory anyway.
            destination += "/"
        return f"{instruction.head_without(_OURS)}{json_form(sources, destination)}"

    def _all_sources(
        self, scope: Scope, words: Words, heredocs: Mapping[str, str], *, needed: bool
    ) -> list[tuple[str | None, str]] | None:
        """The new sources; None if some of them are not known, and the executor can deal with them by itself."""
        try:
            made = list(self._sources(scope, words, heredocs, expand=False))
            if all(source is None for source, _ in made):
                return made
            # With a pattern among the sources, the executor looks for all of them in the context only.
            return list(self._sources(scope, words, heredocs, expand=True))
        except LookupError as error:
            if needed or self.tree.kind(str(error.args[0])) is Kind.LINK:
                raise
            # The executor says so.
            return None
        except _UnknownError as error:
            if needed:
                raise ValueError(f"the value of {error} is not known before the build") from error
            return None

    def _sources(
        self, scope: Scope, words: Words, heredocs: Mapping[str, str], *, expand: bool
    ) -> Iterator[tuple[str | None, str]]:
        """For each word to write: the new source or None if the old one can stay, and the old one.

        Args:
            scope: what is known before the instruction.
            words: its words.
            heredocs: the files of its heredocs.
            expand: whether files take the place of all patterns.
        """
        instruction = scope.instruction
        excludes = [_known(scope, value) for name, value in instruction.flags if name == "--exclude"]
        destination = scope.value(words.destination)
        exists = destination is not None and scope.exists(destination)
        for word in words.sources:
            if heredoc := parse_heredoc(word):
                yield heredocs.get(heredoc[1]), word
                continue
            source = scope.value(word)
            if source is None:
                raise _UnknownError(word)
            if is_url(source):
                yield None, word
            elif (instruction.flag("--parents") or "false") != "false" or ("--parents", "") in instruction.flags:
                prepared = with_parents(source, excludes, self.tree)
                yield from self._prepared(prepared, instruction, word, exists=exists)
            else:
                for path, item in self._items(instruction, word, source, excludes, exists=exists):
                    stays = path is None and not (expand and has_pattern(source))
                    yield (None if stays else literal(item) if path is None else path), word

    def _items(
        self,
        instruction: Instruction,
        word: str,
        source: str,
        excludes: Sequence[str],
        *,
        exists: bool,
    ) -> Iterator[tuple[str | None, str]]:
        """For each file or directory that a source names: another path or None, and its own path."""
        items = find_items(source, self.tree)
        place = place_of(source)
        made = list[tuple[str | None, str]]()
        # The executor takes a pattern for a name, too, if there is a file of that name.
        if has_pattern(source) and self.tree.kind(place) and all(item.named != place for item in items):
            made.append(("", place))
        for item in items:
            is_odd = item.kind is Kind.DIRECTORY and not self.aliases.can_name(item.path)
            if item.kind is Kind.DIRECTORY and (excludes or (is_odd and self.tree.children(item.path))):
                tree = without(item.path, list(excludes), self.tree)
                made += [(path, item.path) for path, _ in self._prepared(tree, instruction, word, exists=exists)]
            elif item.kind is Kind.DIRECTORY:
                made += ((path, item.path) for path in self._directory(item, instruction, exists=exists))
            else:
                made.append((self._one(item, instruction), item.path))
        if any(path is None and has_pattern(own) for path, own in made):
            raise _UnknownError(word)
        yield from made

    def _directory(self, item: Item, instruction: Instruction, *, exists: bool) -> tuple[str | None, ...]:
        """What to copy instead of a directory; None if it can be named by its own path."""
        children = {name: posixpath.join(item.path, name) for name in self.tree.children(item.path)}
        itself = (None if item.path == item.named else literal(item.path),)
        if not children:
            if not exists and self.tree.mode(item.path) != USUAL_MODE and instruction.flag("--chmod") is None:
                # The destination would get its mode.
                empty = PreparedTree()
                self.prepared[empty.name] = empty
                return (f"{self.prepared_directory}/{empty.name}",)
            return itself
        names = {name: (self.tree.kind(path), self.tree.mode(path)) for name, path in children.items()}
        return self._entries(item.path, names, children, instruction, exists=exists) or itself

    def _entries(
        self,
        directory: str,
        entries: Mapping[str, tuple[Kind | None, int]],
        files: Mapping[str, str],
        instruction: Instruction,
        *,
        exists: bool,
    ) -> tuple[str, ...]:
        """What to copy, so that all of a directory is copied and a destination that exists stays as it is.

        The executor gives a destination the mode and owner of the directory itself, unless it is taken for excluded;
        it then makes a missing destination for the first entry. If that would differ from BuildKit,
        another entry goes before.

        Args:
            directory: its path in the context.
            entries: what is in it, in the order of their bytes: kinds and modes.
            files: the paths of the files among them.
            instruction: the COPY or ADD.
            exists: whether the destination exists for sure.

        Returns:
            Words; none if it cannot be done.
        """
        alike = functools.partial(destination_is_made_alike, instruction, support=self.support)
        before = ""
        if not exists and not alike(*next(iter(entries.values()))):
            fit = [name for name, (kind, mode) in entries.items() if kind is Kind.FILE and alike(kind, mode)]
            if instruction.keyword == "ADD":
                fit = [name for name in fit if self.tree.added(files[name]) is Added.FILE]
            directories = [name for name, (kind, _) in entries.items() if kind is Kind.DIRECTORY]
            if fit:
                before = literal(files[fit[0]])
            elif directories and alike(Kind.DIRECTORY, USUAL_MODE):
                first = PreparedTree({directories[0]: USUAL_MODE})
                self.prepared[first.name] = first
                before = self.aliases.path(f"{self.prepared_directory}/{first.name}") or ""
            if not before:
                return ()
        alias = self.aliases.path(directory)
        return tuple(word for word in (before, alias) if word) if alias else ()

    def _one(self, item: Item, instruction: Instruction) -> str | None:
        """Another path for a file; None if it can be named by its own."""
        if instruction.keyword == "ADD" and self.tree.added(item.path) is Added.DECOMPRESSED:
            return self._file(PreparedTree(files={item.name: item.path}, decompressed=True), item.name)
        if item.path == item.named:
            return None
        if item.path.rpartition("/")[2] == item.name:
            return literal(item.path)
        return self._file(PreparedTree(files={item.name: item.path}), item.name)

    def _prepared(
        self, tree: PreparedTree, instruction: Instruction, word: str, *, exists: bool
    ) -> Iterator[tuple[str, str]]:
        if not (tops := tree.tops):
            return
        self.prepared[tree.name] = tree
        path = f"{self.prepared_directory}/{tree.name}"
        entries = {
            name: (Kind.DIRECTORY, tree.directories[name])
            if name in tree.directories
            else (self.tree.kind(tree.files[name]), 0)
            for name in tops
        }
        files = {name: f"{path}/{name}" for name in tops}
        for each in self._entries(path, entries, files, instruction, exists=exists) or (path,):
            yield each, word

    def _file(self, tree: PreparedTree, name: str) -> str:
        self.prepared[tree.name] = tree
        return literal(f"{self.prepared_directory}/{tree.name}/{name}")


class _UnknownError(Exception):
    """A source's value is not known before the build."""


def _known(scope: Scope, word: str) -> str:
    value = scope.value(word)
    if value is None:
        raise _UnknownError(word)
    return value
