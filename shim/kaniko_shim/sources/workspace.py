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
        context: the directory that becomes the context; emptied before a fetch.
        scratch: the directory for temporary files.
        environment: the variables of the process, for proxies and CA certificates.
        say: writes a line of the log.
        crane: the registry tool, with its credentials installed; None if no registry is needed.
        warn: adds a warning to the log and to the result.
    """

    context: Path
    scratch: Path
    environment: Mapping[str, str]
    say: Callable[[str], None]
    crane: "Crane | None" = None
    warn: Callable[[str], None] = lambda _: None

    def clear(self) -> None:
        """Empty the context's directory."""
        shutil.rmtree(self.context, ignore_errors=True)
        self.context.mkdir(mode=0o755, parents=True, exist_ok=True)
