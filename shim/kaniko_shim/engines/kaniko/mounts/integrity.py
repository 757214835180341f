"""Notices whether a RUN step has changed the shim's own files."""

import os
from pathlib import Path


class Fingerprint:
    """The state of all files below a directory at one moment.

    Of a file that was changed and restored, the time of the status's change differs, which nobody in the container
    can set.
    """

    def __init__(self, directory: Path) -> None:
        """Take the fingerprint."""
        self._directory = directory
        self._files = self._read()

    def holds(self) -> bool:
        """Whether all is as it was."""
        return self._read() == self._files

    def _read(self) -> dict[Path, tuple[int, int, int]]:
        found = dict[Path, tuple[int, int, int]]()
        for root, _, names in os.walk(self._directory):
            for path in (Path(root), *(Path(root, name) for name in names)):
                status = path.lstat()
                found[path] = (status.st_ino, status.st_size, status.st_ctime_ns)
        return found
