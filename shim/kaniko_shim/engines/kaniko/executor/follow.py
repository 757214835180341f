"""Follows a run of the executor: relays its lines to the log, and its phases, steps and warnings to the job."""

from pathlib import Path

from kaniko_shim.dockerfile.steps import REPEATED
from kaniko_shim.engines.kaniko.executor.named_owners import NamedOwners
from kaniko_shim.engines.kaniko.executor.progress import Progress
from kaniko_shim.engines.kaniko.executor.record import parts_of
from kaniko_shim.engines.kaniko.executor.saved_files import SavedFiles
from kaniko_shim.system.container.disk import is_full
from kaniko_shim.system.job import Job

_NO_SPACE = "o space left on device"
_ROOT = Path("/")


class Follower:
    """Reads the executor's lines, one after the other.

    Attributes:
        progress: what is known from the lines so far.
        disk_full: whether the disk was full when a line said that no space is left.
        push_begin: when the push of the image began, by the job's clock; None if it has not started.
    """

    def __init__(
        self, job: Job, progress: Progress, saved: SavedFiles | None = None, owners: NamedOwners | None = None
    ) -> None:
        self.progress = progress
        self.push_begin: float | None = None
        self.disk_full = False
        self._job = job
        self._saved = saved or SavedFiles(())
        self._owners = owners or NamedOwners({})
        self._announced = progress.steps.step
        self._since = 0

    def begin(self) -> None:
        """The executor starts; its first step is the FROM of the first stage."""
        self.progress.steps.enter_stage()
        self._announce_step()

    def read(self, line: str) -> None:
        """Read a line.

        Raises:
            JobError: DockerfileUnsupported; the executor would never end.
        """
        parts = parts_of(line)
        for message in (part.record.message for part in parts if part.record):
            for warning in (*self._saved.read(message), *self._owners.read(message)):
                self._job.warn(warning)
        # Now, since what a RUN wrote may be gone when it has ended.
        if _NO_SPACE in line and not self.disk_full:
            self.disk_full = is_full((_ROOT, self._job.paths.scratch, self._job.paths.context))
        phase = self.progress.phase
        for part in parts:
            # A RUN may print any line, one in the executor's own form too. How a line appears in the log depends on
            # that line alone, and none is left out.
            self.progress.read(part)
            self._job.relay(part.shown)
            self._since += 1
        for warning in self.progress.warnings:
            self._job.warn(warning)
        self.progress.warnings.clear()
        if self.progress.phase != phase:
            self._job.enter(self.progress.phase)
        if self.progress.pushing and self.push_begin is None:
            self.push_begin = self._job.phases.now()
        if self.progress.steps.step is not self._announced or self._since >= REPEATED:
            self._announce_step()

    def silence(self) -> None:
        """The executor has said nothing for a while.

        Raises:
            JobError: DockerfileUnsupported; the executor would never end.
        """
        self._job.beat()
        self._saved.look_again()

    def _announce_step(self) -> None:
        tracker = self.progress.steps
        self._announced, self._since = tracker.step, 0
        if line := tracker.progress_line(self._job.console.masker.mask):
            self._job.say(line)
