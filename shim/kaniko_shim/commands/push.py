"""`push`: check a layout that a build left, push it to every output, and report its digest."""

import time
from pathlib import Path

from kaniko_shim import process
from kaniko_shim.crane import Crane, crane_failure
from kaniko_shim.credentials import explain_refusal, find_credentials, install_credentials
from kaniko_shim.errors import CancelledError, JobError
from kaniko_shim.heartbeat import heartbeat
from kaniko_shim.job import Job
from kaniko_shim.layout import LayoutImage, check_layout
from kaniko_shim.reasons import Reason
from kaniko_shim.references import ImageReference
from kaniko_shim.request import Request
from kaniko_shim.result import PushedImage, Result
from kaniko_shim.signals import name_of

ATTEMPTS = 4
FIRST_PAUSE = 1.0
"""Seconds before the second attempt; each further pause is twice as long."""

_TRANSIENT = frozenset({Reason.REGISTRY_UNAVAILABLE, Reason.RATE_LIMITED})


def push(request: Request, job: Job) -> Result:
    """Do the job; whatever happens ends up in the result."""
    images = list[PushedImage]()
    credentials = request.docker_config
    try:
        job.phases.enter("checking the image")
        with heartbeat(job.beat, request.heartbeat_seconds):
            image = check_layout(Path(request.layout))
        if not request.push:
            job.say(f"the image is whole ({image.digest}); nothing is pushed, since NO_PUSH is true")
            return Result(str(request.command), digest=image.digest, timings=job.phases.timings)
        credentials = find_credentials(request.docker_config, job.environment, job.paths)
        install_credentials(credentials, job.paths, job.warn)
        with job.phases.pushing():
            images.extend(_push_with_retries(request, job, output, image) for output in request.outputs)
    except JobError as error:
        return Result(
            str(request.command),
            explain_refusal(error.failure, credentials),
            log_tail=job.tail.text,
            images=tuple(images),
            timings=job.phases.timings,
        )
    return Result(str(request.command), images=tuple(images), timings=job.phases.timings)


def _push_with_retries(request: Request, job: Job, output: ImageReference, image: LayoutImage) -> PushedImage:
    job.phases.enter(f"pushing to {output.name}")
    pause = FIRST_PAUSE
    attempt = 1
    while True:
        try:
            return _push(request, job, output, image)
        except JobError as error:
            if error.failure.reason not in _TRANSIENT or attempt == ATTEMPTS:
                raise
            attempt += 1
            job.say(f"{error.failure.message} Attempt {attempt} of {ATTEMPTS} in {pause:.0f} s")
            time.sleep(pause)
            pause *= 2


def _push(request: Request, job: Job, output: ImageReference, image: LayoutImage) -> PushedImage:
    crane = Crane(job.paths, job.environment, request.registries)
    written = list[str]()

    def on_line(line: str) -> None:
        written.append(line)
        job.relay(line, "crane")

    ended = process.run(
        crane.command(output.registry, "push", request.layout, output.name),
        on_line=on_line,
        on_silence=job.beat,
        silence=request.heartbeat_seconds,
    )
    if ended.stopped_by:
        raise CancelledError(ended.stopped_by, name_of(ended.stopped_by))
    if ended.code != 0:
        raise JobError.of(crane_failure(ended, "\n".join(written), output))
    pushed = crane.inspect(output)
    if pushed.digest != image.digest:
        raise JobError(
            Reason.INTERNAL,
            f"The registry has {pushed.digest} as {output.name}, but {image.digest} was pushed.",
            hint="Somebody else pushed the same tag meanwhile. Build again.",
            registry=output.registry,
        )
    return PushedImage(output.name, image.digest, image.size)
