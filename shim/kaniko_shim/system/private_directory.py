"""The directory of the shim's temporary files, which no other user may read or change."""

from contextlib import suppress
from pathlib import Path

_OWNERS_ONLY = 0o700
_STICKY = 0o1000


def make_private(directory: Path) -> None:
    """Make a directory for its owner only, with every directory in it; those that exist are made so.

    A volume may belong to another user: then it stays as it is, and what is made in it is private.
    """
    directory.mkdir(mode=_OWNERS_ONLY, parents=True, exist_ok=True)
    with suppress(PermissionError):
        # Sticky: if anything opens it to others, they still can't replace what is in it.
        directory.chmod(_OWNERS_ONLY | _STICKY)
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            with suppress(PermissionError):
                path.chmod(_OWNERS_ONLY)
