"""What of a build context BuildKit does not keep."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

_MOST_NAMED = 5


def lost_modes(context: Path) -> str:
    """A warning of files whose set-user-ID or set-group-ID bits are lost; empty if there are none.

    The daemon gives a file its mode before it writes the content. The kernel takes the bits away on a write, unless the
    writer has CAP_FSETID on the node itself, and not only in a user namespace (setattr_should_drop_suidgid, fs/attr.c).
    """
    found = sorted(_special(str(context), ""))
    if not found:
        return ""
    more = ", …" if len(found) > _MOST_NAMED else ""
    return (
        f"The set-user-ID and set-group-ID bits of {', '.join(found[:_MOST_NAMED])}{more} of the build context are "
        "lost in a user namespace. Set them in a RUN, with chmod u+s or g+s."
    )


def _special(directory: str, prefix: str) -> Iterator[str]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _special(entry.path, f"{prefix}{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                mode = entry.stat(follow_symlinks=False).st_mode
                if mode & (stat.S_ISUID | stat.S_ISGID):
                    yield prefix + entry.name
