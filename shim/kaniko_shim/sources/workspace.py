"""The directories and surroundings of a fetch."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaniko_shim.registry.crane import Crane


@dataclass(frozen=True, slots=True)
class Workspace:
    """What every kind of source is fetched with.

    Attributes:
        context: the directory that becomes the context; emptied first.
        scratch: where temporary files go.
        environment: the variables that the process was started with (proxies, certificates).
        say: writes a line of the log.
        crane: reaches registries, with the credentials installed.
    """

    context: Path
    scratch: Path
    environment: Mapping[str, str]
    say: Callable[[str], None]
    crane: "Crane | None" = None

    def clear(self) -> None:
        """Leave an empty directory."""
        shutil.rmtree(self.context, ignore_errors=True)
        self.context.mkdir(mode=0o755, parents=True, exist_ok=True)
