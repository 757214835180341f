"""`index`: push an index of images that are in the registry already."""

from kaniko_shim.attest.predicates import index_predicates
from kaniko_shim.commands.delivery import Delivery, deliver
from kaniko_shim.oci.blobs import write_layout
from kaniko_shim.oci.index import ImageIndex, make_index
from kaniko_shim.oci.platform import Member
from kaniko_shim.outcome.errors import JobError
from kaniko_shim.outcome.reasons import Reason
from kaniko_shim.outcome.result import Result
from kaniko_shim.registry.crane import Crane
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.request.push_request import IndexRequest
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.job import Job


def index(request: IndexRequest, job: Job) -> Result:
    """Run the sub-command; the result also describes failures.

    Raises:
        JobError: InvalidSpec; the mounted Docker config can't be read.
    """
    return deliver(request, job, lambda crane: _delivery(request, job, crane))


def _delivery(request: IndexRequest, job: Job, crane: Crane) -> Delivery:
    job.phases.enter("looking for the images")
    with heartbeat(job.beat, request.heartbeat_seconds):
        made = _make(request, crane, job)
    options = request.attestations
    return Delivery(
        job.paths.scratch / "index",
        made.digest,
        made.size,
        request.outputs,
        unpushed="all images are in the registry, and the index is ready",
        attestations=None if options.are_none else lambda: index_predicates(options, job, made),
        is_index=True,
    )


def _make(request: IndexRequest, crane: Crane, job: Job) -> ImageIndex:
    """Make the index, and write it to the scratch directory.

    Raises:
        JobError: PushRejected; the repository of an output lacks an image. Or a registry's reason.
    """
    manifests = list[bytes]()
    for output in dict.fromkeys((output.registry, output.repository) for output in request.outputs):
        manifests = [_manifest(crane, output, member) for member in request.members]
    try:
        made = make_index(list(zip(request.members, manifests, strict=True)))
    except ValueError as error:
        raise JobError(Reason.PUSH_REJECTED, f"The index can't be created: {error}.") from error
    # The layout has only the manifests of the images: their blobs are in the registry.
    write_layout(job.paths.scratch / "index", made.content, manifests)
    return made


def _manifest(crane: Crane, place: tuple[str, str], member: Member) -> bytes:
    manifest = crane.find_manifest(ImageReference(*place, digest=member.digest))
    if manifest is not None:
        return manifest
    repository = "/".join(place)
    raise JobError(
        Reason.PUSH_REJECTED,
        f"{repository} has no {member.digest}, which INDEX_MANIFESTS names for {member.platform.name}.",
        hint=f"Push that image to {repository} first (kaniko-shim push with PUSH_BY_DIGEST=true).",
        registry=place[0],
    )
