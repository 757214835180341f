"""`push`: check the layout of a build, push it to every output, and report the digest."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from kaniko_shim.attest.predicates import image_predicates
from kaniko_shim.commands.delivery import Delivery, deliver
from kaniko_shim.corroborate.contents import contents
from kaniko_shim.corroborate.sketch import sketch_of
from kaniko_shim.oci.layout import check_layout, read_manifest
from kaniko_shim.outcome.result import Result
from kaniko_shim.registry.references import ImageReference
from kaniko_shim.request.push_request import PushRequest
from kaniko_shim.scan.handover import take_over
from kaniko_shim.system.heartbeat import heartbeat
from kaniko_shim.system.job import Job


def push(request: PushRequest, job: Job) -> Result:
    """Run the sub-command; the result also describes failures.

    Raises:
        JobError: InvalidSpec; the mounted Docker config can't be read.
    """
    return deliver(request, job, lambda _: _delivery(request, job))


def _delivery(request: PushRequest, job: Job) -> Delivery:
    job.phases.enter("checking the image")
    layout = Path(request.layout)
    with heartbeat(job.beat, request.heartbeat_seconds):
        options, witness = request.attestations, request.attestations.inputs.witness
        image = check_layout(layout, may_lack_layers=request.push and not (options.sbom or witness))
        sketch = sketch_of(number for number, _ in _contents(layout, image.digest)) if request.sketches else ""
        if witness and witness.digest != image.digest:
            raise witness.refusal(image.digest, dict(_contents(layout, image.digest)))
    scanned = take_over(job.paths.scanned, image.digest) if request.requires_scan else None
    return Delivery(
        layout,
        image.digest,
        image.size,
        absent=image.absent,
        contents=sketch,
        outputs=tuple(_by_digest(request.outputs, image.digest)) if request.by_digest else request.outputs,
        unpushed="the image is complete",
        attestations=None
        if options.are_none and scanned is None
        else lambda: image_predicates(options, job, layout, image.digest, request.outputs, scanned),
    )


def _contents(layout: Path, digest: str) -> Iterator[tuple[int, str]]:
    return contents(layout, read_manifest(layout, digest))


def _by_digest(outputs: Iterable[ImageReference], digest: str) -> Iterator[ImageReference]:
    """Each repository once, without its tag."""
    yield from dict.fromkeys(replace(output, tag="", digest=digest) for output in outputs)
