"""`--parents` and `--exclude`: which files of the context a COPY or ADD takes, by BuildKit's rules."""

from dataclasses import dataclass, field

from imagebuild_dockerignore.rules import Hits, IgnoreRules

from kaniko_shim.dockerfile.stages import place_of
from kaniko_shim.dockerignore.find import pattern_rules
from kaniko_shim.engines.kaniko.adapt.copy.sources import has_pattern
from kaniko_shim.engines.kaniko.adapt.copy.trees.prepared import PreparedTree
from kaniko_shim.engines.kaniko.adapt.copy.trees.tree import ContextTree, Kind


@dataclass(slots=True)
class Selection:
    """Walks a directory of the context and collects what is taken.

    Attributes:
        tree: the context.
        base: the directory.
        included: patterns of what is taken; None for all.
        excluded: patterns of what is not.
    """

    tree: ContextTree
    base: str
    included: IgnoreRules | None
    excluded: IgnoreRules
    _directories: dict[str, int] = field(default_factory=dict)
    _files: dict[str, str] = field(default_factory=dict)

    def prepared(self) -> PreparedTree:
        """What is taken, at its path below the directory."""
        self._walk("", (), ())
        return PreparedTree(self._directories, self._files, base=self.base)

    def _walk(self, directory: str, included: Hits, excluded: Hits) -> None:
        for name in self.tree.children(self._place(directory)):
            path = f"{directory}/{name}" if directory else name
            kind = self.tree.kind(self._place(path))
            taken, below = self.included.judge(path, included) if self.included else (True, ())
            left, hidden = self.excluded.judge(path, excluded)
            if taken and not left:
                self._add_parents(directory)
                if kind is Kind.DIRECTORY:
                    self._directories[path] = self.tree.mode(self._place(path))
                else:
                    self._files[path] = self._place(path)
            if kind is Kind.DIRECTORY:
                self._walk(path, below, hidden)

    def _add_parents(self, directory: str) -> None:
        if directory and directory not in self._directories:
            self._add_parents(directory.rpartition("/")[0])
            self._directories[directory] = self.tree.mode(self._place(directory))

    def _place(self, path: str) -> str:
        parts = [part for part in (self.base, path) if part not in {"", "."}]
        return "/".join(parts) or "."


def with_parents(source: str, excludes: list[str], tree: ContextTree) -> PreparedTree:
    """What `--parents` takes for a source; `/./` in it is where the kept part of the path begins.

    Raises:
        LookupError: it names a file that is not there.
    """
    before, pivot, after = source.partition("/./")
    base = tree.resolve(place_of(before)) if pivot else "."
    pattern = place_of(after if pivot else source)
    if base is None or tree.kind(base) is not Kind.DIRECTORY:
        raise LookupError(source)
    if not has_pattern(source) and tree.resolve(f"{base}/{pattern}") is None:
        raise LookupError(source)
    # All of the directory, which no pattern names.
    included = None if pattern == "." else _rules([pattern])
    return Selection(tree, base, included, _rules(excludes)).prepared()


def without(directory: str, excludes: list[str], tree: ContextTree) -> PreparedTree:
    """What is left of a directory after `--exclude`."""
    return Selection(tree, directory, None, _rules(excludes)).prepared()


def _rules(patterns: list[str]) -> IgnoreRules:
    return pattern_rules(patterns, "--exclude")
