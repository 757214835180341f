"""Pipes, sockets and devices that a later stage copies, at which the executor would wait or read forever."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

_SAVING = re.compile(r"Saving file (.+) for later use")
_KINDS = (
    (stat.S_ISFIFO, "named pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)


def find_special_file(line: str, root: Path) -> tuple[str, str] | None:
    """The first special file, by its kind and path, among those that the executor is about to save for a later stage.

    Args:
        line: a line of the executor's log.
        root: the root directory of its stages.
    """
    match = _SAVING.search(line)
    return next(_special(root / match[1].lstrip("/"), root), None) if match else None


def _special(path: Path, root: Path) -> Iterator[tuple[str, str]]:
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError):
        return
    for is_kind, name in _KINDS:
        if is_kind(mode):
            yield name, f"/{path.relative_to(root)}"
    if stat.S_ISDIR(mode) and not os.path.ismount(path):
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            yield from _special(path / name, root)
