"""Follows a run of the executor: its lines go to the log, and what they tell goes to the job."""

from kaniko_shim.executor.progress import Progress
from kaniko_shim.system.job import Job

REPEATED = 400
"""Lines of the executor's after which the step is told again, so that it stays among the log's last lines."""


class Follower:
    """Takes the executor's lines, one after the other.

    Attributes:
        progress: what they told so far.
        push_begin: when the push of the image began, by the job's clock; None if it did not.
    """

    def __init__(self, job: Job, progress: Progress) -> None:
        self.progress = progress
        self.push_begin: float | None = None
        self._job = job
        self._told = progress.walk.step
        self._since = 0

    def begin(self) -> None:
        """The executor starts, and first looks for the first stage's image."""
        self.progress.walk.enter_stage()
        self._tell_step()

    def read(self, line: str) -> None:
        """Take a line."""
        phase = self.progress.phase
        for shown in self.progress.read(line):
            self._job.relay(shown)
            self._since += 1
        for warning in self.progress.warnings:
            self._job.warn(warning)
        self.progress.warnings.clear()
        if self.progress.phase != phase:
            self._job.phases.enter(self.progress.phase)
        if self.progress.pushing and self.push_begin is None:
            self.push_begin = self._job.phases.now()
        if self.progress.walk.step is not self._told or self._since >= REPEATED:
            self._tell_step()

    def _tell_step(self) -> None:
        walk = self.progress.walk
        self._told, self._since = walk.step, 0
        if told := walk.progress_line(self._job.console.masker.mask):
            self._job.say(told)
