"""The job: what every sub-command works with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kaniko_shim.log.console import Console
from kaniko_shim.log.phases import Phases
from kaniko_shim.log.tail import LogTail
from kaniko_shim.log.warnings import Warnings
from kaniko_shim.system.paths import Paths

LONGEST_PHASE = 120
"""Characters of a phase, which every line of a JSON log repeats."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a sub-command works with.

    Attributes:
        environment: the variables that the process was started with, and the CAs of registries.
        paths: the builder's directories.
        console: the log.
        tail: the last lines of the log.
        phases: the current phase, and the timings.
        warnings: the warnings so far.
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
        """Log a line of another program."""
        self.tail.add(self.console.masker.mask(line))
        self.console.relay(line, program)

    def say(self, text: str) -> None:
        """Log a line of the shim."""
        self.console.say(text)

    def warn(self, text: str) -> None:
        """Add a warning, to the log and to the result."""
        if new := self.warnings.add(self.console.masker.mask(text)):
            self.say(f"warning: {new}")

    def enter(self, phase: str) -> None:
        """Begin a phase whose words come from elsewhere: masked, then cut, since half a secret is not recognised."""
        self.phases.enter(self.console.masker.mask(phase)[:LONGEST_PHASE])

    def beat(self) -> None:
        """Log the current phase and its duration."""
        self.say(f"still {self.phases.current} ({self.phases.elapsed:.0f} s)")
