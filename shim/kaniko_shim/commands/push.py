"""`push`: check a layout that a build left, push it to every output, and report its digest."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from kaniko_shim.attest.attach import Attaching
from kaniko_shim.attest.facts import facts_of_image
from kaniko_shim.oci.layout import check_layout
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.result import Attached, PushedImage, Result
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.credentials import explain_refusal, find_credentials, install_credentials
from kaniko_shim.registry.push import Pushing
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.request.push_request import PushRequest
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.job import Job


def push(request: PushRequest, job: Job) -> Result:
    """Do the job; whatever happens ends up in the result."""
    images = list[PushedImage]()
    attached: tuple[Attached, ...] = ()
    credentials = request.docker_config
    try:
        job.phases.enter("checking the image")
        layout = Path(request.layout)
        with heartbeat(job.beat, request.heartbeat_seconds):
            image = check_layout(layout)
        if not request.push:
            job.say(f"the image is whole ({image.digest}); nothing is pushed, since NO_PUSH is true")
            return Result(str(request.command), digest=image.digest, timings=job.phases.timings)
        credentials = find_credentials(request.docker_config, job.environment, job.paths)
        install_credentials(credentials, job.paths, job.warn)
        crane = Crane(job.paths, job.environment, request.registries)
        pushing = Pushing(job, crane, request.heartbeat_seconds, layout, image.digest)
        outputs = _by_digest(request.outputs, image.digest) if request.by_digest else request.outputs
        wanted = request.wanted
        said = None if wanted.is_nothing else facts_of_image(wanted, job, layout, image.digest, request.outputs)
        with job.phases.pushing():
            images.extend(replace(pushing.push(output), size=image.size) for output in outputs)
            if said:
                attaching = Attaching(job, crane, request.heartbeat_seconds, wanted.key)
                attached = attaching.attach(request.outputs, *said)
    except JobError as error:
        return Result(
            str(request.command),
            explain_refusal(error.failure, credentials),
            log_tail=job.tail.text,
            images=tuple(images),
            timings=job.phases.timings,
        )
    return Result(str(request.command), images=tuple(images), attached=attached, timings=job.phases.timings)


def _by_digest(outputs: Iterable[ImageReference], digest: str) -> Iterator[ImageReference]:
    """Each repository once, without its tag."""
    yield from dict.fromkeys(replace(output, tag="", digest=digest) for output in outputs)
