"""A new file system for each sample: ext4 creates files slowly for a minute after many were deleted."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

#: Bytes of it; only what is written takes room on the disk.
SIZE: Final = 8 << 30


@contextmanager
def file_system(scratch: Path) -> Iterator[Path]:
    """A fresh ext4, mounted in a folder of `scratch`; it is gone afterwards. Needs root."""
    image, folder = scratch / "ext4", scratch / "mounted"
    with image.open("wb") as file:
        file.truncate(SIZE)
    folder.mkdir()
    subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=1,lazy_journal_init=1", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()
        image.unlink()
