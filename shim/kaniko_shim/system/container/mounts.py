"""What is mounted in this container."""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

_MOUNTINFO = Path("/proc/self/mountinfo")
_ESCAPE = re.compile(r"\\([0-7]{3})")
_MOUNT_POINT, _OPTIONS = 4, 5
_OFTEN_LINKS = frozenset({"bin", "sbin", "lib", "lib32", "lib64", "libx32"})


def has_mount_below(directory: str, mountinfo: str) -> bool:
    """Whether something is mounted at a directory or below it.

    Args:
        directory: an absolute path.
        mountinfo: what the kernel says in /proc/<pid>/mountinfo.
    """
    return any(posixpath.commonpath([directory, point]) == directory for point, _ in _mounts(mountinfo))


def mounts_below_links(mountinfo: str) -> tuple[str, ...]:
    """The mount points below directories in whose place most images have a link, such as /bin, in order.

    Args:
        mountinfo: what the kernel says in /proc/<pid>/mountinfo.
    """
    points = {point for point, _ in _mounts(mountinfo) if point.split("/")[1] in _OFTEN_LINKS}
    return tuple(sorted(points))


def is_read_only(point: str, mountinfo: str) -> bool:
    """Whether the mount at a mount point is read-only, by itself or as a whole file system; False if there is none.

    Args:
        point: an absolute path.
        mountinfo: what the kernel says in /proc/<pid>/mountinfo.
    """
    # The last one covers those before it.
    found = [fields for each, fields in _mounts(mountinfo) if each == point]
    return bool(found) and any("ro" in options.split(",") for options in (found[-1][_OPTIONS], found[-1][-1]))


def _mounts(mountinfo: str) -> Iterator[tuple[str, list[str]]]:
    """The mount point of each line, and all of its fields."""
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        if len(fields) > _OPTIONS:
            point = _ESCAPE.sub(lambda escape: chr(int(escape[1], 8)), fields[_MOUNT_POINT])
            yield "/" + point.lstrip("/"), fields


def read_mountinfo() -> str:
    """The mounts of this process; empty if the kernel does not say."""
    try:
        return _MOUNTINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
