"""The directory of the shim's temporary files, which other users can neither read nor change."""

from contextlib import suppress
from pathlib import Path

_OWNERS_ONLY = 0o700
_STICKY = 0o1000


def make_private(directory: Path) -> None:
    """Create a directory that only its owner can access; an existing one and the directories in it are changed.

    A volume that belongs to another user, or is read-only, stays as it is; directories that the shim creates in it are
    private.
    """
    directory.mkdir(mode=_OWNERS_ONLY, parents=True, exist_ok=True)
    with suppress(OSError):
        # Sticky: even if it is opened to others, they can't replace what it contains.
        directory.chmod(_OWNERS_ONLY | _STICKY)
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            with suppress(OSError):
                path.chmod(_OWNERS_ONLY)
