"""What every sub-command works with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kaniko_shim.log.console import Console
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.system.paths import Paths


@dataclass(frozen=True, slots=True)
class Job:
    """A job's surroundings.

    Attributes:
        environment: the variables that the process was started with, and the CAs of registries.
        paths: the builder's places.
        console: the log.
        tail: its last lines.
        phases: the clock.
        warnings: what went wrong without failing the job.
        source_environment: the same with the CAs of the context's server instead of those of registries.
    """

    environment: Mapping[str, str]
    paths: Paths
    console: Console
    tail: LogTail
    phases: Phases
    warnings: Warnings
    source_environment: Mapping[str, str] = field(default_factory=dict)

    def relay(self, line: str, program: str = "executor") -> None:
        """Show a line of another program."""
        self.tail.add(self.console.masker.mask(line))
        self.console.relay(line, program)

    def say(self, text: str) -> None:
        """Write a line of the shim's own."""
        self.console.say(text)

    def warn(self, text: str) -> None:
        """Tell of something that went wrong and does not fail the job, in the log and the result."""
        if new := self.warnings.add(self.console.masker.mask(text)):
            self.say(f"warning: {new}")

    def beat(self) -> None:
        """Say what has been going on in silence."""
        self.say(f"still {self.phases.current} ({self.phases.elapsed:.0f} s)")
