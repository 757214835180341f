"""The common end of `push` and `index`: push a layout to every output, attach its attestations, and report both."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kaniko_shim.attest.artifact import Subject
from kaniko_shim.attest.attach import Attacher
from kaniko_shim.attest.attestation import Predicates
from kaniko_shim.outcome.errors import JobError, failure_of
from kaniko_shim.outcome.result import PushedImage, Result
from kaniko_shim.registry.cache_push import push_cache
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.credentials import find_credentials
from kaniko_shim.registry.logins import Logins
from kaniko_shim.registry.push import Pusher
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.request.push_request import IndexRequest, PushRequest
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.job import Job
from kaniko_shim.system.processes.interruption import CancelledError

if TYPE_CHECKING:
    from kaniko_shim.attest.keys import Key

_SHARED_IDENTITY = (
    "The identity used for {shared} comes from the metadata server, which gives it to every container of the pod: "
    "commands of the Dockerfile can use it, too."
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What to push.

    Attributes:
        layout: the directory of its OCI layout.
        digest: `sha256:…` of its manifest or index.
        size: bytes of its configs and layers.
        outputs: the names to push it to.
        unpushed: start of the log line if nothing is pushed.
        attestations: makes the predicates that are attached to it; None: nothing is attached.
        is_index: whether the layout itself is an index, as opposed to one image.
        absent: the layers that the layout does not have.
        contents: a sketch of what the image consists of; empty if none is wanted.
    """

    layout: Path
    digest: str
    size: int
    outputs: tuple[ImageReference, ...]
    unpushed: str
    attestations: Callable[[], tuple[Subject, Predicates]] | None
    is_index: bool = False
    absent: frozenset[str] = frozenset()
    contents: str = ""


def deliver(request: PushRequest | IndexRequest, job: Job, make: Callable[[Crane], Delivery]) -> Result:
    """Make and push a delivery; the result also describes failures, and what was pushed before.

    Args:
        request: the request; unless it asks for a push, the delivery is only made.
        job: the job.
        make: makes the delivery; gets crane for requests to registries.

    Raises:
        JobError: InvalidSpec; the mounted Docker config can't be read.
    """
    result = Result(str(request.command), timings=job.phases.timings)
    images = list[PushedImage]()
    logins = Logins.of(find_credentials(request.docker_config, job.environment, job.paths), job)
    crane = Crane(job.paths, job.environment, request.registries, logins)
    try:
        logins.install([output.registry for output in request.outputs] if request.push else ())
        delivery = make(crane)
        if not request.push:
            job.say(f"{delivery.unpushed} ({delivery.digest}); it is not pushed: NO_PUSH is true")
            return replace(result, digest=delivery.digest, contents=delivery.contents)
        # Before the push, so that an image whose attestations can't be made is not pushed.
        with heartbeat(job.beat, request.heartbeat_seconds):
            gathered = delivery.attestations() if delivery.attestations else None
        attacher = Attacher(job, crane, request.heartbeat_seconds, _key(request, job))
        with job.phases.pushing():
            pusher = _push(delivery, request, job, crane, images)
            # A tag that can't be overwritten keeps another image; this one is not in the repository.
            places = [
                out for out, image in zip(delivery.outputs, images, strict=True) if image.digest == delivery.digest
            ]
            attached = attacher.attach(places, *gathered) if gathered else ()
            if isinstance(request, PushRequest):
                push_cache(pusher, request.cache)
    except (JobError, CancelledError) as error:
        failure = logins.explain(failure_of(error))
        return replace(result, failure=failure, log_tail=job.tail.text, images=tuple(images))
    if not delivery.is_index and (shared := ", ".join(logins.shared())):
        job.warn(_SHARED_IDENTITY.format(shared=shared))
    return replace(result, images=tuple(images), attached=attached)


def _key(request: PushRequest | IndexRequest, job: Job) -> "Key | None":
    options = request.attestations
    if options.keyless is None:
        return options.key
    from kaniko_shim.attest.keyless import MomentaryKey  # noqa: PLC0415 - takes long to import

    return MomentaryKey(options.keyless, job.environment, job.say)


def _push(
    delivery: Delivery, request: PushRequest | IndexRequest, job: Job, crane: Crane, images: list[PushedImage]
) -> Pusher:
    pusher = Pusher(
        job,
        crane,
        request.heartbeat_seconds,
        delivery.layout,
        delivery.digest,
        delivery.is_index,
        request.ignore_immutable_tags,
        delivery.absent,
    )
    for output in delivery.outputs:
        pushed = pusher.push(output)
        layers = () if delivery.is_index else pushed.layers
        size = delivery.size if pushed.digest == delivery.digest else pushed.size
        images.append(replace(pushed, size=size, layers=layers))
    return pusher
