"""What is mounted in this container."""

import posixpath
import re
from pathlib import Path

_MOUNTINFO = Path("/proc/self/mountinfo")
_ESCAPE = re.compile(r"\\([0-7]{3})")
_MOUNT_POINT = 4


def has_mount_below(directory: str, mountinfo: str) -> bool:
    """Whether something is mounted at a directory or below it.

    Args:
        directory: an absolute path.
        mountinfo: what the kernel says in /proc/<pid>/mountinfo.
    """
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        if len(fields) > _MOUNT_POINT:
            point = _ESCAPE.sub(lambda escape: chr(int(escape[1], 8)), fields[_MOUNT_POINT])
            if posixpath.commonpath([directory, "/" + point.lstrip("/")]) == directory:
                return True
    return False


def read_mountinfo() -> str:
    """The mounts of this process; empty if the kernel does not say."""
    try:
        return _MOUNTINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
