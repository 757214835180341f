"""Removes from a fetched context what its `.dockerignore` ignores, so that the executor needs no such file."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from imagebuild_dockerignore.rules import Hits, IgnoreRules


def prune(context: Path, rules: IgnoreRules) -> None:
    """Remove what is ignored. A directory that is ignored stays, with its mode, if something below it is kept.

    Directories keep their modification times: COPY writes them to the image.
    """
    if rules.rules:
        for path in _ignored(str(context), "", (), rules):
            if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114 - surrogates
                shutil.rmtree(path)
            else:
                os.unlink(path)  # noqa: PTH108 - surrogates


def _ignored(directory: str, prefix: str, above: Hits, rules: IgnoreRules) -> Iterator[str]:
    """The paths to remove, each with all that lies below it, before the directory that holds them."""
    before = os.stat(directory).st_mtime_ns  # noqa: PTH116 - surrogates
    with os.scandir(directory) as found:
        items = list(found)
    for item in items:
        name = prefix + item.name
        ignored, hits = rules.judge(name, above)
        if not item.is_dir(follow_symlinks=False):
            if ignored:
                yield item.path
        elif ignored and not rules.may_keep_below(name):
            yield item.path
        else:
            yield from _ignored(item.path, f"{name}/", hits, rules)
            # A generator: what lies below is removed by now.
            if ignored and not os.listdir(item.path):  # noqa: PTH208 - surrogates
                yield item.path
    if os.stat(directory).st_mtime_ns != before:  # noqa: PTH116 - surrogates
        os.utime(directory, ns=(before, before))
