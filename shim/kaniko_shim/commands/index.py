"""`index`: push an index of images that lie in the registry already."""

from kaniko_shim.attest.attach import Attaching
from kaniko_shim.attest.facts import facts_of_index
from kaniko_shim.oci.blobs import write_layout
from kaniko_shim.oci.index import ImageIndex, make_index
from kaniko_shim.oci.platform import Member
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import Attached, PushedImage, Result
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.credentials import explain_refusal, find_credentials, install_credentials
from kaniko_shim.registry.push import Pushing
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.request.push_request import IndexRequest
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.job import Job


def index(request: IndexRequest, job: Job) -> Result:
    """Do the job; whatever happens ends up in the result."""
    images = list[PushedImage]()
    attached: tuple[Attached, ...] = ()
    credentials = find_credentials(request.docker_config, job.environment, job.paths)
    crane = Crane(job.paths, job.environment, request.registries)
    try:
        install_credentials(credentials, job.paths, job.warn)
        job.phases.enter("looking for the images")
        with heartbeat(job.beat, request.heartbeat_seconds):
            made = _make(request, crane, job)
        if not request.push:
            job.say(f"all images are there; the index ({made.digest}) is not pushed, since NO_PUSH is true")
            return Result(str(request.command), digest=made.digest, timings=job.phases.timings)
        layout = job.paths.scratch / "index"
        pushing = Pushing(job, crane, request.heartbeat_seconds, layout, made.digest, is_index=True)
        with job.phases.pushing():
            for output in request.outputs:
                pushed = pushing.push(output)
                images.append(PushedImage(pushed.reference, pushed.digest, made.size))
            if not request.wanted.is_nothing:
                attaching = Attaching(job, crane, request.heartbeat_seconds, request.wanted.key)
                attached = attaching.attach(request.outputs, *facts_of_index(request.wanted, job, made))
    except JobError as error:
        return Result(
            str(request.command),
            explain_refusal(error.failure, credentials),
            log_tail=job.tail.text,
            images=tuple(images),
            timings=job.phases.timings,
        )
    return Result(str(request.command), images=tuple(images), attached=attached, timings=job.phases.timings)


def _make(request: IndexRequest, crane: Crane, job: Job) -> ImageIndex:
    """The index, which now lies in the scratch directory too; every output's repository has all of its images."""
    manifests = list[bytes]()
    for output in dict.fromkeys((output.registry, output.repository) for output in request.outputs):
        manifests = [_manifest(crane, output, member) for member in request.members]
    try:
        made = make_index(list(zip(request.members, manifests, strict=True)))
    except ValueError as error:
        raise JobError(Reason.PUSH_REJECTED, f"The index can't be made: {error}.") from error
    # Of its images the layout has the manifests only: all else is in the registry.
    write_layout(job.paths.scratch / "index", made.content, manifests)
    return made


def _manifest(crane: Crane, place: tuple[str, str], member: Member) -> bytes:
    try:
        return crane.manifest(ImageReference(*place, digest=member.digest))
    except JobError as error:
        if "MANIFEST_UNKNOWN" not in error.failure.message and "NAME_UNKNOWN" not in error.failure.message:
            raise
        repository = "/".join(place)
        raise JobError(
            Reason.PUSH_REJECTED,
            f"{repository} has no {member.digest}, which INDEX_MANIFESTS names for {member.platform.name}.",
            hint=f"Push that image to {repository} first (kaniko-shim push with PUSH_BY_DIGEST=true).",
            registry=place[0],
        ) from error
