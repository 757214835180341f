"""Programs of images that are mounted as volumes."""

import shutil
from pathlib import Path
from typing import Final

_EXECUTABLE: Final = 0o500


def take_program(program: Path, directory: Path) -> Path:
    """A copy of a program that can be run: none can in a volume that is an image.

    Args:
        program: its file in the volume.
        directory: where the copy goes.

    Raises:
        OSError: there is none, or no space for it.
    """
    copy = directory / program.name
    # The one of an earlier start of this container can't be written to.
    copy.unlink(missing_ok=True)
    shutil.copyfile(program, copy)
    copy.chmod(_EXECUTABLE)
    return copy
