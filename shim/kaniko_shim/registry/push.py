"""Pushes a layout to a registry: with retries, and a check of what the registry has afterwards."""

from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

from kaniko_shim.net.retry import Retries
from kaniko_shim.outcome.errors import Failure, JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import PushedImage
from kaniko_shim.outcome.situations.push_situations import IMMUTABLE_TAG
from kaniko_shim.registry.crane import Crane, crane_failure
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.system.job import Job
from kaniko_shim.system.processes import process
from kaniko_shim.system.processes.interruption import CancelledError

# Of crane's output; its error is the last.
_LAST_LINES = 100
LAYERS_REMOVED = "layers removed"
_NO_FILE = "no such file or directory"
_TRANSIENT = frozenset({Reason.REGISTRY_UNAVAILABLE, Reason.RATE_LIMITED})


@dataclass(frozen=True, slots=True)
class Pusher:
    """Pushes one layout.

    Attributes:
        job: the job.
        crane: pushes.
        silence: seconds without output after which a heartbeat is logged.
        layout: what to push.
        digest: its digest.
        is_index: whether the layout itself is an index, as opposed to one image.
        ignore_immutable: whether to ignore that a tag exists and can't be overwritten.
        absent: the layers that the layout does not have, since the registry had them during the build.
    """

    job: Job
    crane: Crane
    silence: float
    layout: Path
    digest: str
    is_index: bool = False
    ignore_immutable: bool = False
    absent: frozenset[str] = frozenset()

    def push(self, output: ImageReference) -> PushedImage:
        """Push to one name.

        Returns:
            The image that the registry has under the name; another than the pushed one only if that is ignored.

        Raises:
            JobError: a registry's reason.
        """
        self.job.phases.enter(f"pushing to {output.name}")
        retries = Retries(self.job.say)
        while True:
            try:
                return self._push(output)
            except JobError as error:
                if self.ignore_immutable and error.failure.situation == IMMUTABLE_TAG:
                    return self._keep(output)
                lasts = error.failure.reason not in _TRANSIENT or error.failure.situation == LAYERS_REMOVED
                if lasts or not retries.wait(error.failure.message):
                    raise

    def _keep(self, output: ImageReference) -> PushedImage:
        kept = self.crane.inspect(output)
        if kept.digest != self.digest:
            self.job.warn(f"{output.name} is immutable and stays {kept.digest}; {self.digest} was not pushed.")
        return kept

    def _push(self, output: ImageReference) -> PushedImage:
        written = deque[str](maxlen=_LAST_LINES)

        def on_line(line: str) -> None:
            written.append(line)
            self.job.relay(line, "crane")

        kind = ("--index",) if self.is_index else ()
        ended = process.run(
            self.crane.command(output.registry, "push", *kind, str(self.layout), output.name),
            on_line=on_line,
            on_silence=self.job.beat,
            silence=self.silence,
            masker=self.job.console.masker,
        )
        if ended.stopped_by:
            raise CancelledError(ended.stopped_by)
        if ended.code != 0 and self.absent and _NO_FILE in "\n".join(written):
            gone = f"{output.registry} has removed layers of {output.repository} that it had during the build."
            raise JobError.of(
                Failure(
                    Reason.REGISTRY_UNAVAILABLE,
                    gone,
                    "Build again.",
                    registry=output.registry,
                    situation=LAYERS_REMOVED,
                )
            )
        if ended.code != 0:
            raise JobError.of(crane_failure(ended, "\n".join(written), output))
        pushed = self.crane.inspect(output)
        if pushed.digest == self.digest:
            return pushed
        # Another push of the same tag was later. The image is there all the same.
        mine = replace(output, tag="", digest=self.digest)
        if self.crane.find_manifest(mine) is None:
            raise JobError(
                Reason.INTERNAL,
                f"The registry has {pushed.digest} as {output.name}, but {self.digest} was pushed.",
                hint="Build again. If that does not help, ask who runs the registry whether it changes images.",
                registry=output.registry,
            )
        self.job.warn(
            f"{output.name} is {pushed.digest} by now: another push of the same tag came after this one. This image is "
            f"{mine.name}."
        )
        return replace(self.crane.inspect(mine), reference=output.name)
