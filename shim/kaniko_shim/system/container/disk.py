"""Whether the builder's disk is full, by its file systems rather than by what a RUN prints."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_ALMOST_NOTHING = 64 * 1024 * 1024
"""Bytes; what is left of a large disk when a write fails that needs more than a block."""
_PART = 100
"""Of a small disk, one part in so many counts as nothing."""

_ROOT = Path("/")


def is_full(places: Iterable[Path] = (_ROOT,)) -> bool:
    """Whether one of the file systems with these directories has no room left."""
    for place in places:
        with suppress(OSError):
            if has_no_room(os.statvfs(place)):
                return True
    return False


def has_no_room(system: os.statvfs_result) -> bool:
    """Whether a file system has no bytes or no inodes left; some do not count inodes."""
    free, size = system.f_bavail * system.f_frsize, system.f_blocks * system.f_frsize
    return free <= min(_ALMOST_NOTHING, size // _PART) or (system.f_files > 0 and system.f_favail == 0)
