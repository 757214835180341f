"""`warm`: download base images into a volume, from which builds take their layers.

Each image is a directory named by the digest of its manifest, as the executor looks for it. The executor asks the
registry for the digest in each build, so a tag that has moved is never overlooked.
"""

import os
import shutil
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from kaniko_shim.oci.platform import Platform
from kaniko_shim.outcome.errors import JobError, failure_of
from kaniko_shim.outcome.result import Result
from kaniko_shim.registry.base_images import BaseImages
from kaniko_shim.registry.crane import Crane, crane_failure
from kaniko_shim.registry.credentials import find_credentials
from kaniko_shim.registry.logins import Logins
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.request.warm_request import WarmRequest
from kaniko_shim.system.container.machine import architecture
from kaniko_shim.system.job import Job
from kaniko_shim.system.processes import process
from kaniko_shim.system.processes.interruption import CancelledError

KEPT_SECONDS = 14 * 24 * 3600
"""How long an image stays that no run has named; the executor takes none that is older."""

_DRAFT = ".draft-"
_LONGEST_DRAFT = 24 * 3600
_LAST_LINES = 100


def warm(request: WarmRequest, job: Job) -> Result:
    """Run the sub-command; the result also describes failures.

    Raises:
        JobError: InvalidSpec; the mounted Docker config can't be read.
    """
    logins = Logins.of(find_credentials(request.docker_config, job.environment, job.paths), job)
    crane = Crane(job.paths, job.environment, request.registries, logins)
    images = BaseImages(crane, request.registries)
    failure = None
    try:
        logins.install(())
        _remove_old(job)
        for image in request.images:
            for platform in request.platforms or (Platform("linux", architecture()),):
                job.phases.enter(f"downloading {image} for {platform.name}")
                _keep(images.locate(image, platform), crane, job, request.heartbeat_seconds)
    except (JobError, CancelledError) as error:
        failure = logins.explain(failure_of(error))
    return Result(str(request.command), failure, log_tail=job.tail.text, timings=job.phases.timings)


def _keep(image: ImageReference, crane: Crane, job: Job, silence: float) -> None:
    """Download an image unless it is there, and note that it was asked for."""
    place = job.paths.base_images / image.digest
    if not (place / "index.json").exists():
        _download(image, place, crane, job, silence)
    os.utime(place)
    job.say(f"{image.name} is in the cache")


def _download(image: ImageReference, place: Path, crane: Crane, job: Job, silence: float) -> None:
    draft = place.with_name(f"{_DRAFT}{os.urandom(8).hex()}")
    draft.mkdir()
    try:
        _pull(image, draft, crane, job, silence)
        # Another run may have been faster.
        with suppress(OSError):
            draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _pull(image: ImageReference, draft: Path, crane: Crane, job: Job, silence: float) -> None:
    written = deque[str](maxlen=_LAST_LINES)

    def on_line(line: str) -> None:
        written.append(line)
        job.relay(line, "crane")

    ended = process.run(
        crane.command(image.registry, "pull", "--format=oci", image.name, str(draft)),
        on_line=on_line,
        on_silence=job.beat,
        silence=silence,
        masker=job.console.masker,
    )
    if ended.stopped_by:
        raise CancelledError(ended.stopped_by)
    if ended.code != 0:
        raise JobError.of(crane_failure(ended, "\n".join(written), image))


def _remove_old(job: Job) -> None:
    now = time.time()
    for entry in sorted(job.paths.base_images.iterdir()):
        age = now - entry.lstat().st_mtime
        if entry.name.startswith("sha256:") and age > KEPT_SECONDS:
            job.say(f"removing {entry.name}, which no run has named for {age // 86400:.0f} days")
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name.startswith(_DRAFT) and age > _LONGEST_DRAFT:
            shutil.rmtree(entry, ignore_errors=True)
