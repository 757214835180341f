"""Where fetching happens."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """What every kind of source works with.

    Attributes:
        into: the directory that becomes the context; emptied first.
        scratch: where temporary files go.
        environment: the variables that the process was started with (proxies, certificates).
        say: writes a line of the log.
    """

    into: Path
    scratch: Path
    environment: Mapping[str, str]
    say: Callable[[str], None]

    def clear(self) -> None:
        """Leave an empty directory."""
        shutil.rmtree(self.into, ignore_errors=True)
        self.into.mkdir(mode=0o755, parents=True, exist_ok=True)
