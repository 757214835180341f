"""What of a directory need not be copied at all, since the context in it ignores it."""

import posixpath
from dataclasses import dataclass, field
from pathlib import Path

from imagebuild_dockerignore.find import find_rules, ignore_files
from imagebuild_dockerignore.rules import Hits, IgnoreRules


@dataclass(frozen=True, slots=True)
class Selection:
    """What is copied; paths are relative to the directory.

    Attributes:
        rules: the context's.
        context: the context's path with a slash behind it; empty for the directory itself.
        needed: files that are read before the context is pruned.
    """

    rules: IgnoreRules = field(default_factory=IgnoreRules)
    context: str = ""
    needed: frozenset[str] = frozenset()

    def skips(self, path: str, above: Hits, *, is_directory: bool) -> tuple[bool, Hits]:
        """Whether a path is left out, with all that lies below it, and what is needed to judge the paths below it."""
        if not self.rules.rules or not path.startswith(self.context):
            return False, ()
        inside = path.removeprefix(self.context)
        ignored, hits = self.rules.judge(inside, above)
        if ignored is None or self._is_needed(path, is_directory=is_directory):
            return False, hits
        return not (is_directory and self.rules.may_keep_below(inside)), hits

    def _is_needed(self, path: str, *, is_directory: bool) -> bool:
        return path in self.needed or (is_directory and any(each.startswith(f"{path}/") for each in self.needed))


def select(directory: Path, sub_path: str, dockerfile: str) -> Selection:
    """What is copied of a directory.

    Args:
        directory: the directory.
        sub_path: the context's path in it, or empty.
        dockerfile: the Dockerfile's path relative to the context; empty if it does not come from there.

    Raises:
        IgnoreFileError: the ignore file has a malformed line.
    """
    context = posixpath.normpath(f"/{sub_path}").strip("/")
    names = [*ignore_files(dockerfile), *([dockerfile] if dockerfile else ())]
    needed = [posixpath.normpath(f"/{context}/{name}").strip("/") for name in names]
    if any(_is_link(directory, path) for path in (context, *needed)):
        # Where it leads may be ignored. All is copied, and the context pruned later.
        return Selection()
    rules = find_rules(directory, directory / context, dockerfile)
    return Selection(rules, f"{context}/" if context else "", frozenset(needed))


def _is_link(directory: Path, path: str) -> bool:
    """Whether a path leads over a link."""
    parts = Path(path).parts
    return any(directory.joinpath(*parts[:depth]).is_symlink() for depth in range(1, len(parts) + 1))
