"""Makes what COPY needs next to the context: second paths of directories, and trees of the context's files."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from kaniko_shim.archives.added import decompress
from kaniko_shim.engines.kaniko.adapt.copy.trees.aliases import Aliases
from kaniko_shim.engines.kaniko.adapt.copy.trees.prepared import PreparedTree


def make_aliases(aliases: Aliases) -> None:
    """Make the links that second paths of directories lead through."""
    if aliases.links:
        Path(aliases.directory).mkdir(parents=True, exist_ok=True)
    for name, target in aliases.links.items():
        place = Path(aliases.directory, name)
        place.unlink(missing_ok=True)
        place.symlink_to(target)


def make_trees(trees: Mapping[str, PreparedTree], context: Path, directory: Path) -> None:
    """Make trees of the context's files below a directory, by name; files are hard links.

    Raises:
        JobError: SourceInvalid for a damaged archive, DiskFull.
    """
    for name, tree in trees.items():
        place = directory / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        place.chmod(0o755)
        for path in tree.directories:
            (place / path).mkdir()
        for path, source in tree.files.items():
            if tree.decompressed:
                decompress(context / source, place / path)
            else:
                os.link(context / source, place / path, follow_symlinks=False)
        for path, mode in tree.directories.items():
            (place / path).chmod(mode)
            if tree.base is not None:
                modified = (context / tree.base / path).stat().st_mtime_ns
                os.utime(place / path, ns=(modified, modified))
